package mcc.wire;

import java.util.ArrayList;
import java.util.List;
import mcc.core.Address;
import mcc.core.Id;

/** A request or an answer of one node to another; every value fits into one {@link Rpc}. */
public sealed interface Message {
    /** Returns whether it is a request. */
    default boolean isRequest() {
        return switch (this) {
            case Ping _, FindNode _, FindValue _, Store _, Beat _, DialBack _, Reserve _, Connect _, Punch _ -> true;
            case Pong _, Nodes _, Values _, Stored _, Beaten _, DialedBack _, Reserved _, Connected _, Punching _ ->
                false;
        };
    }

    /** Are you there? */
    record Ping() implements Message {}

    /**
     * The answer to {@link Ping}.
     *
     * @param clockMs the answering node's wall clock, milliseconds since 1970; 0 where it does not say
     */
    record Pong(long clockMs) implements Message {
        /** Refuses a time before 1970. */
        public Pong {
            if (clockMs < 0) throw new IllegalArgumentException("clockMs is at least 0");
        }

        /** Without a time. */
        public Pong() {
            this(0);
        }
    }

    /** Whom do you know nearest to {@code target}? */
    record FindNode(Id target) implements Message {}

    /** The answer to {@link FindNode}: nearest first. */
    record Nodes(List<Contact> contacts) implements Message {
        /** Refuses what does not fit one Rpc. */
        public Nodes {
            contacts = List.copyOf(contacts);
            if (contacts.size() > Limits.CONTACTS || !Message.fits(contacts, ROOM)) {
                throw new IllegalArgumentException("contacts do not fit");
            }
        }

        /** Takes the first contacts that fit: they lose their relays, then their last addresses, before one is left out. */
        public static Nodes fitting(List<Contact> nearest) {
            return new Nodes(Message.fit(nearest, ROOM));
        }
    }

    /**
     * Which records do you hold under {@code key}?
     *
     * @param cursor 0 at first, then {@link Values#cursor} of the previous answer
     */
    record FindValue(Id key, long cursor) implements Message {}

    /**
     * A record as its holder sees it.
     *
     * @param beatAgeMs milliseconds since the holder last heard a heartbeat or a store from the writer
     */
    record Held(Record record, long beatAgeMs) {
        /** Refuses a negative age. */
        public Held {
            if (beatAgeMs < 0) throw new IllegalArgumentException("beatAgeMs is at least 0");
        }

        private int wireBytes() {
            return Record.field(record.wireBytes() + 10);
        }
    }

    /**
     * The answer to {@link FindValue}.
     *
     * @param records one page of what is held
     * @param contacts nearest to the key first
     * @param total how many records the holder has under the key
     * @param cursor where the next page begins; 0 when this is the last
     */
    record Values(List<Held> records, List<Contact> contacts, int total, long cursor) implements Message {
        /** Refuses what does not fit one Rpc. */
        public Values {
            records = List.copyOf(records);
            contacts = List.copyOf(contacts);
            int bytes = Message.bytes(contacts);
            for (Held held : records) bytes += held.wireBytes();
            if (records.size() > Limits.RECORDS || contacts.size() > Limits.CONTACTS || bytes > ROOM || total < 0) {
                throw new IllegalArgumentException("values do not fit");
            }
        }

        /** Returns how many of {@code records}, from the first on, fit beside the nearest {@code contacts}; at least one. */
        public static int fitting(List<Held> records, List<Contact> contacts) {
            int room = ROOM - Message.bytes(contacts);
            int n = 0;
            for (Held held : records) {
                room -= held.wireBytes();
                if (n == Limits.RECORDS || (n > 0 && room < 0)) break;
                n++;
            }
            return n;
        }

        /** Makes an answer with all {@code records}, which must fit, and as many of the first contacts as fit beside them. */
        public static Values of(List<Held> records, List<Contact> nearest, int total, long cursor) {
            int room = ROOM;
            for (Held held : records) room -= held.wireBytes();
            return new Values(records, Message.fit(nearest, room), total, cursor);
        }
    }

    /** Keep this. */
    record Store(Record record) implements Message {}

    /**
     * The answer to {@link Store}.
     *
     * @param newest with {@link Verdict#OLD} the highest seq that the holder knows; 0 if it does not say
     * @param clockMs the holder's wall clock, milliseconds since 1970; 0 where it does not say
     */
    record Stored(Verdict verdict, long newest, long clockMs) implements Message {
        /** Refuses negative numbers. */
        public Stored {
            if (newest < 0 || clockMs < 0) throw new IllegalArgumentException("newest and clockMs are at least 0");
        }

        /** Only a verdict. */
        public Stored(Verdict verdict) {
            this(verdict, 0, 0);
        }
    }

    /** What a holder did with a record. */
    enum Verdict {
        /** Kept, or held already. */
        KEPT,
        /** A newer version of this writer and slot is, or was, held. */
        OLD,
        /** Signature or time of issue are wrong. */
        INVALID,
        /** A limit is reached. */
        FULL
    }

    /** A heartbeat: the sender, who must be the writer, confirms that version {@code seq} of its record still holds. */
    record Beat(Id key, Id slot, long seq) implements Message {
        /** Refuses a negative seq. */
        public Beat {
            if (seq < 0) throw new IllegalArgumentException("seq is at least 0");
        }
    }

    /** The answer to {@link Beat}; if not {@code known}, the record must be stored again. */
    record Beaten(boolean known) implements Message {}

    /**
     * Send one datagram to an address of mine.
     *
     * @param target the IP address at which the receiver sees the asker, with any port
     * @param nonce what the datagram holds
     * @param otherPort whether it is to come from another port than that of the link
     */
    record DialBack(Address target, long nonce, boolean otherPort) implements Message {}

    /** The answer to {@link DialBack}. */
    record DialedBack(Dialed result) implements Message {}

    /** What became of a {@link DialBack}. */
    enum Dialed {
        /** It was sent, once. */
        SENT,
        /** The target is none to which the receiver sends for this asker. */
        REFUSED,
        /** A limit is reached. */
        BUSY
    }

    /** Keep a place for the asker, to which others may have circuits. */
    record Reserve() implements Message {}

    /**
     * The answer to {@link Reserve}.
     *
     * @param leaseMs how long the place is kept; 0 without one
     * @param load how much of what the relay can carry is taken, in thousandths: 0 to 1,000
     * @param addresses where others reach the relay, best first, at most {@link Limits#CONTACT_ADDRESSES}; told to an asker that
     *     came by a carrier, and so cannot know
     */
    record Reserved(Relaying verdict, long leaseMs, int load, List<Address> addresses) implements Message {
        /** Without addresses. */
        public Reserved(Relaying verdict, long leaseMs, int load) {
            this(verdict, leaseMs, load, List.of());
        }

        /** Refuses a negative lease, a load beyond its range, and too many addresses. */
        public Reserved {
            addresses = few(addresses);
            if (leaseMs < 0) throw new IllegalArgumentException("leaseMs is at least 0");
            if (load < 0 || load > 1_000) throw new IllegalArgumentException("load is 0 to 1,000");
        }
    }

    /** What a relay answers. */
    enum Relaying {
        /** Done. */
        OK,
        /** A limit of the relay is reached. */
        FULL,
        /** It does not relay, or not for the asker. */
        REFUSED,
        /** The node asked for keeps no place there, or the next relay does not answer. */
        NOT_HERE
    }

    /**
     * Make a circuit to a node.
     *
     * @param to a node that has a place at the last relay
     * @param via the relays behind the one that is asked, nearest first, at most {@link Limits#RELAYS}
     */
    record Connect(Id to, List<Contact> via) implements Message {
        /** Refuses too long a way. */
        public Connect {
            via = List.copyOf(via);
            if (via.size() > Limits.RELAYS) throw new IllegalArgumentException("too many relays");
        }
    }

    /**
     * The answer to {@link Connect}.
     *
     * @param circuit the circuit's number for the asker; 0 without one
     */
    record Connected(Relaying verdict, long circuit) implements Message {
        /** Refuses a circuit without a number, and a number without a circuit. */
        public Connected {
            if ((verdict == Relaying.OK) != (circuit != 0)) throw new IllegalArgumentException("no such circuit");
        }
    }

    /**
     * Let us send to each other's addresses at the same moment.
     *
     * @param candidates where the asker may be reached, best first, at most {@link Limits#CONTACT_ADDRESSES}
     * @param go begin now; else this only exchanges what is known
     * @param ready the asker has opened the sockets that this attempt needs
     */
    record Punch(List<Address> candidates, boolean ready, boolean go, Outside outside) implements Message {
        /** Refuses too many addresses. */
        public Punch {
            candidates = few(candidates);
        }
    }

    /** The answer to {@link Punch}: where the answering node may be reached. */
    record Punching(List<Address> candidates, Outside outside) implements Message {
        /** Refuses too many addresses. */
        public Punching {
            candidates = few(candidates);
        }
    }

    private static List<Address> few(List<Address> addresses) {
        if (addresses.size() > Limits.CONTACT_ADDRESSES) throw new IllegalArgumentException("too many addresses");
        return List.copyOf(addresses);
    }

    /** Bytes for the lists of one answer. */
    int ROOM = Limits.RPC_BYTES - Limits.ENVELOPE_BYTES;

    /** Whether contacts take no more than {@code room}: as a rule that is so whatever their addresses are. */
    private static boolean fits(List<Contact> contacts, int room) {
        int most = 0;
        for (Contact contact : contacts) most += contact.wireBytesMax();
        return most <= room || bytes(contacts) <= room;
    }

    private static int bytes(List<Contact> contacts) {
        int n = 0;
        for (Contact contact : contacts) n += contact.wireBytes();
        return n;
    }

    private static List<Contact> fit(List<Contact> nearest, int room) {
        List<Contact> out = new ArrayList<>(Math.min(nearest.size(), Limits.CONTACTS));
        for (Contact contact : nearest) {
            if (out.size() == Limits.CONTACTS) break;
            out.add(contact);
        }
        if (fits(out, room)) return out;
        out.replaceAll(contact -> new Contact(contact.node(), contact.addresses()));
        int bytes = bytes(out);
        for (int keep = Limits.CONTACT_ADDRESSES - 1; bytes > room && keep > 0; keep--) {
            for (int i = 0; i < out.size(); i++) {
                Contact contact = out.get(i);
                if (contact.addresses().size() <= keep) continue;
                out.set(i, new Contact(contact.node(), contact.addresses().subList(0, keep)));
            }
            bytes = bytes(out);
        }
        while (bytes > room && !out.isEmpty()) bytes -= out.removeLast().wireBytes();
        return out;
    }
}
