package mcc.portmap;

import static org.assertj.core.api.Assertions.assertThat;

import mcc.core.Rng;
import org.junit.jupiter.api.Test;

/** XML from routers: what is read, and that nothing else does any harm. */
class XmlTest {
    private static String text(String xml, String name) {
        Xml.Element root = Xml.read(xml);
        Xml.Element found = root == null ? null : root.first(name);
        return found == null ? null : found.text();
    }

    @Test
    void elementsAreFoundWhateverTheirPrefixAndAttributes() {
        String xml = "\ufeff<?xml version='1.0'?><!-- <a> --><s:a x='>' y=\"/>\"><b/><u:c>1 &lt;&#65;&#x42;&amp;</u:c>"
                + "<![CDATA[<d>]]></s:a>\n";
        assertThat(text(xml, "c")).isEqualTo("1 <AB&");
        assertThat(text(xml, "a")).isEqualTo("<d>");
        assertThat(text(xml, "b")).isEmpty();
        assertThat(text(xml, "d")).isNull();
    }

    @Test
    void aDocumentTypeMakesItNoDocument() {
        assertThat(Xml.read("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>"))
                .isNull();
        assertThat(Xml.read("<a>&e;</a>")).isNull();
        assertThat(Xml.read("<a><!ENTITY e 'x'></a>")).isNull();
    }

    @Test
    void whatIsNotWellFormedIsNone() {
        for (String xml : new String[] {
            "",
            "a",
            "<",
            "<a",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<a>&#0;</a>",
            "<a>&#xfffffff;</a>",
            "< a/>",
            "<a b='></a>",
            "<![CDATA[x]]>",
            "<a><!-- </a>",
            "<a>&lt</a>"
        }) {
            assertThat(Xml.read(xml)).as(xml).isNull();
        }
    }

    @Test
    void thereAreLimits() {
        assertThat(Xml.read("<a>" + "x".repeat(Xml.CHARS_MAX) + "</a>")).isNull();
        assertThat(Xml.read("<a>" + "<b/>".repeat(Xml.ELEMENTS_MAX) + "</a>")).isNull();
        assertThat(Xml.read("<a>" + "<b/>".repeat(Xml.ELEMENTS_MAX - 1) + "</a>"))
                .isNotNull();
        assertThat(Xml.read("<a>".repeat(Xml.DEPTH_MAX) + "</a>".repeat(Xml.DEPTH_MAX)))
                .isNotNull();
        assertThat(Xml.read("<a>".repeat(Xml.DEPTH_MAX + 1) + "</a>".repeat(Xml.DEPTH_MAX + 1)))
                .isNull();
    }

    @Test
    void garbageNeverThrows() {
        Rng rng = Rng.seeded(8);
        String good = "<?xml version=\"1.0\"?><s:a xmlns:s='u'><b>1&amp;2</b><!-- c --><d e='f'/><![CDATA[g]]></s:a>";
        String signs = "<>/!?-[]&;#x'\"= a";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder(good);
            for (int n = rng.below(6); n >= 0; n--) {
                int at = rng.below(text.length());
                char c = signs.charAt(rng.below(signs.length()));
                switch (rng.below(3)) {
                    case 0 -> text.setCharAt(at, c);
                    case 1 -> text.insert(at, c);
                    default -> text.setLength(Math.max(1, at));
                }
            }
            Xml.read(text.toString());
            Upnp.location(text.toString().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
            Upnp.place("http://" + text);
        }
    }
}
