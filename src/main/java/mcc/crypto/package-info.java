/**
 * Primitives: keys in, bytes out. Curve25519 comes from Bouncy Castle's lightweight API, the rest from the JDK.
 *
 * <p>May use {@code core}, {@code javax.crypto}, {@code java.security} and {@code org.bouncycastle}. Keeps no state except
 * keys, and draws no randomness: seeds are passed in.
 *
 * <p>Read in this order: {@link mcc.crypto.Identity} (a node's keys), {@link mcc.crypto.Ed25519} (checking signatures and
 * public keys), {@link mcc.crypto.X25519} (agreeing on secrets), {@link mcc.crypto.Sha256} and {@link mcc.crypto.Hkdf}
 * (hashing and deriving), {@link mcc.crypto.Aead} (sealing).
 *
 * <p>Invariants: a public key is used only after it was shown to be canonically encoded and of prime order; an agreement
 * that yields all zeros is refused; secrets are compared in constant time and have no text form.
 *
 * <p>Sources: Ed25519 RFC 8032; X25519 RFC 7748; the map between them RFC 7748 section 4.1; HKDF RFC 5869; HMAC RFC 2104;
 * ChaCha20-Poly1305 RFC 8439; AES-GCM NIST SP 800-38D. The choice of providers is measured in
 * {@code docs/decisions/0003-take-curve25519-from-bouncy-castle.md}.
 */
@NullMarked
package mcc.crypto;

import org.jspecify.annotations.NullMarked;
