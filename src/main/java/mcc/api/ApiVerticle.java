package mcc.api;

import io.vertx.core.VerticleBase;
import mcc.node.Node;

public final class ApiVerticle extends VerticleBase {
    public ApiVerticle(Node.Parts parts) {}
}
