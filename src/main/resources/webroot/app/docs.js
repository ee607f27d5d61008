/* global SwaggerUIBundle */
// The readable form of the contract at /docs.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
