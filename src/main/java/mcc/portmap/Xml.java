package mcc.portmap;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads XML as routers write it: elements and their text. Attributes, comments and processing instructions are passed over, and
 * prefixes of names are cut off. There is no DTD, so no entities but XML's own five and numbers; a document that has one is none.
 */
final class Xml {
    /** Characters of a document, elements in it, and how deep they may be nested. */
    static final int CHARS_MAX = 65_536;

    static final int ELEMENTS_MAX = 2_048;
    static final int DEPTH_MAX = 24;

    /** An element. */
    static final class Element {
        final String name;
        final List<Element> children = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();

        private Element(String name) {
            this.name = name;
        }

        /** Its own text, without what is in elements below, and without space around it. */
        String text() {
            return text.toString().strip();
        }

        /** The text of its first child of that name; empty where there is none. */
        String text(String child) {
            for (Element each : children) if (each.name.equals(child)) return each.text();
            return "";
        }

        /** Adds all elements of that name, at any depth, in the order of the document. */
        void find(String wanted, List<Element> into) {
            if (name.equals(wanted)) into.add(this);
            for (Element each : children) each.find(wanted, into);
        }

        /** The first element of that name, at any depth. */
        @Nullable
        Element first(String wanted) {
            List<Element> found = new ArrayList<>();
            find(wanted, found);
            return found.isEmpty() ? null : found.getFirst();
        }
    }

    private final String in;
    private int at;
    private int elements;

    private Xml(String in) {
        this.in = in;
    }

    /** The root of a document; null for anything that is not well-formed, or beyond the limits. */
    static @Nullable Element read(String text) {
        return text.length() > CHARS_MAX ? null : new Xml(text).document();
    }

    private @Nullable Element document() {
        List<Element> open = new ArrayList<>();
        Element root = null;
        while (at < in.length()) {
            int tag = in.indexOf('<', at);
            if (tag < 0) tag = in.length();
            if (!text(open, in.substring(at, tag))) return null;
            if (tag == in.length()) break;
            at = tag;
            if (in.startsWith("<![CDATA[", at)) {
                int end = in.indexOf("]]>", at);
                if (end < 0 || open.isEmpty()) return null;
                open.getLast().text.append(in, at + 9, end);
                at = end + 3;
            } else if (in.startsWith("<!--", at)) {
                if (!skip("-->")) return null;
            } else if (in.startsWith("<?", at)) {
                if (!skip("?>")) return null;
            } else if (in.startsWith("<!", at)) {
                return null; // a DTD
            } else if (in.startsWith("</", at)) {
                int end = in.indexOf('>', at);
                if (end < 0 || open.isEmpty()) return null;
                if (!open.removeLast()
                        .name
                        .equals(local(in.substring(at + 2, end).strip()))) return null;
                at = end + 1;
            } else {
                if (root != null && open.isEmpty()) return null;
                Element made = element(open);
                if (made == null) return null;
                if (root == null) root = made;
            }
        }
        return open.isEmpty() ? root : null;
    }

    /** Reads a start tag, and opens its element unless it is empty. */
    private @Nullable Element element(List<Element> open) {
        int end = at + 1;
        char quote = 0;
        while (end < in.length() && (quote != 0 || in.charAt(end) != '>')) {
            char c = in.charAt(end++);
            if (c == quote) quote = 0;
            else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
        }
        if (end >= in.length() || ++elements > ELEMENTS_MAX || open.size() >= DEPTH_MAX) return null;
        boolean empty = in.charAt(end - 1) == '/';
        int name = at + 1;
        while (name < end && !Character.isWhitespace(in.charAt(name)) && in.charAt(name) != '/') name++;
        if (name == at + 1) return null;
        Element made = new Element(local(in.substring(at + 1, name)));
        if (!open.isEmpty()) open.getLast().children.add(made);
        if (!empty) open.add(made);
        at = end + 1;
        return made;
    }

    private boolean skip(String end) {
        int found = in.indexOf(end, at);
        at = found + end.length();
        return found >= 0;
    }

    private static String local(String name) {
        return name.substring(name.indexOf(':') + 1);
    }

    private boolean text(List<Element> open, String raw) {
        if (open.isEmpty()) return raw.isBlank() || raw.equals("\ufeff");
        StringBuilder out = open.getLast().text;
        int from = 0;
        for (int amp; (amp = raw.indexOf('&', from)) >= 0; ) {
            int end = raw.indexOf(';', amp);
            if (end < 0 || end - amp > 10) return false;
            String known = entity(raw.substring(amp + 1, end));
            if (known == null) return false;
            out.append(raw, from, amp).append(known);
            from = end + 1;
        }
        out.append(raw, from, raw.length());
        return true;
    }

    private static @Nullable String entity(String name) {
        return switch (name) {
            case "lt" -> "<";
            case "gt" -> ">";
            case "amp" -> "&";
            case "quot" -> "\"";
            case "apos" -> "'";
            default -> name.startsWith("#") ? character(name) : null;
        };
    }

    private static @Nullable String character(String name) {
        boolean hex = name.startsWith("#x");
        try {
            int code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
            return code > 0 && Character.isValidCodePoint(code) ? Character.toString(code) : null;
        } catch (NumberFormatException _) {
            return null;
        }
    }
}
