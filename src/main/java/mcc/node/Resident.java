package mcc.node;

/**
 * A verticle that the {@link Supervisor} deploys on the packet loop, so that bytes that it writes to a {@link StreamPort}
 * reach the UDP socket on the same thread. It must never block, nor take long.
 */
public interface Resident {}
