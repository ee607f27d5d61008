package mcc.node;

/**
 * A verticle that lives on the packet loop, where the {@link Supervisor} puts it: the bytes that it hands to a
 * {@link StreamPort} reach the UDP socket on the thread that they came on. It must be as quick as the loop needs.
 */
public interface Resident {}
