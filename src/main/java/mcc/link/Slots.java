package mcc.link;

import java.util.HashMap;
import java.util.Map;
import mcc.core.Rng;
import org.jspecify.annotations.Nullable;

/** The receiver indices of this node, and what each stands for. Unguessable; as many as links, attempts and dials allow. */
final class Slots {
    private final Rng rng;
    private final Map<Integer, Slot> slots = new HashMap<>();
    private int lastIndex;
    private @Nullable Slot last;

    Slots(Rng rng) {
        this.rng = rng;
    }

    /** Draws an index that is not in use; the low four bits are kept free to name a packet loop one day. */
    int free() {
        int index;
        do {
            index = rng.nextInt() & ~0xf;
        } while (index == 0 || slots.containsKey(index));
        return index;
    }

    void occupy(int index, Slot slot) {
        slots.put(index, slot);
        last = null;
    }

    void release(int index) {
        slots.remove(index);
        last = null;
    }

    /** What an index stands for. Packets come in runs, so the last answer is cached. */
    @Nullable
    Slot find(int index) {
        if (last != null && lastIndex == index) return last;
        lastIndex = index;
        last = slots.get(index);
        return last;
    }
}
