/* global SwaggerUIBundle */
// The readable form of the contract at /docs; what is tried there goes to this node.
const answer = await fetch("/openapi.json");
const spec = { ...(await answer.json()), servers: [{ url: location.origin }] };
SwaggerUIBundle({ spec, dom_id: "#docs", deepLinking: true, validatorUrl: null });
