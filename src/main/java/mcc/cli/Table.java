package mcc.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows under headings, in columns as wide as their cells; cells with certain words are coloured if wanted. */
final class Table {
    private final List<String[]> rows = new ArrayList<>();

    Table(String... headings) {
        rows.add(headings);
    }

    void row(String... cells) {
        rows.add(cells);
    }

    boolean isEmpty() {
        return rows.size() == 1;
    }

    /** The lines, without trailing spaces. */
    List<String> lines(boolean colour) {
        int columns = rows.getFirst().length;
        int[] width = new int[columns];
        for (String[] row : rows) for (int i = 0; i < columns; i++) width[i] = Math.max(width[i], row[i].length());
        List<String> out = new ArrayList<>();
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                String padding = i == columns - 1 ? "" : " ".repeat(width[i] - row[i].length() + 2);
                boolean heading = out.isEmpty();
                line.append(colour ? paint(row[i], heading) : row[i]).append(padding);
            }
            out.add(line.toString().stripTrailing());
        }
        return out;
    }

    private static String paint(String cell, boolean heading) {
        return heading ? Colour.BOLD.paint(cell) : Colour.of(cell).paint(cell);
    }

    /** Colours of a terminal; each only supports a word that says the same. */
    enum Colour {
        NONE(""),
        BOLD("1"),
        GREEN("32"),
        YELLOW("33"),
        RED("31");

        private final String code;

        Colour(String code) {
            this.code = code;
        }

        static Colour of(String word) {
            return switch (word) {
                case "pass", "ok", "lan", "direct", "open", "running" -> GREEN;
                case "warn", "relay", "carrier", "draining", "connecting" -> YELLOW;
                case "fail", "failed", "critical", "none" -> RED;
                default -> NONE;
            };
        }

        String paint(String text) {
            return this == NONE || text.isEmpty() ? text : "\u001b[" + code + "m" + text + "\u001b[0m";
        }
    }
}
