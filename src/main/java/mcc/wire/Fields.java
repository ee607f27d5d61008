package mcc.wire;

import com.google.protobuf.ByteString;
import mcc.core.Bytes;
import mcc.core.Id;
import org.jspecify.annotations.Nullable;

/** Converts common values to and from protobuf fields. */
final class Fields {
    private Fields() {}

    static ByteString bytes(Id id) {
        return ByteString.copyFrom(id.toBytes());
    }

    static ByteString bytes(Bytes bytes) {
        return ByteString.copyFrom(bytes.toArray());
    }

    static Bytes bytes(ByteString bytes) {
        return Bytes.owning(bytes.toByteArray());
    }

    /** Null unless there are exactly 32 bytes. */
    static @Nullable Id id(ByteString bytes) {
        return bytes.size() == Id.BYTES ? Id.of(bytes.toByteArray()) : null;
    }
}
