package mcc.portmap;

import mcc.core.Address;

/**
 * The way out of this host's network.
 *
 * @param router the address of the default gateway, without a port
 * @param internal the address and UDP port at which this host is reached from there
 */
public record Gateway(Address router, Address internal) {}
