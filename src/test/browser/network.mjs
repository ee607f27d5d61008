// The page about this node's NAT, its relays and its peers' paths, and the timeline of a path.

import assert from "node:assert/strict";

const THEMES = ["dark", "light"];

/** @param tools what dashboard.mjs does for every page: nodes, ways to open a page and to look at it */
export function networkJourneys({ first, third, site, open, heading, row, see, audit, send, sends, short, widths, onPurpose, shots }) {
  const address = async () => {
    await send(first, "PUT", "/registrations/shop", { service: "shop", port: site });
    const listed = await (await fetch(`${third.http}/api/v1/tunnels`)).json();
    if (listed.items.length) return listed.items[0].listen;
    return (await (await send(third, "POST", "/tunnels", { service: "shop" })).json()).listen;
  };
  const journeys = [];
  const journey = (name, run) => journeys.push([name, run]);

  journey("the NAT, the relays and the peers by path are told, and a row says why", async () => {
    const page = await open(third, "/#/network");
    await heading(page, "Network");
    await page.getByRole("heading", { level: 2, name: "This node's NAT" }).waitFor();
    await see(page, "Reached by strangers");
    await see(page, "None: this node needs no relay, or knows none.");
    await page.getByRole("link", { name: "2 lan" }).click();
    await see(page, "2 peers");
    await row(page, "Peers by path", short(first.id)).getByRole("button", { name: short(first.id), exact: true }).click();
    const timeline = page.getByRole("list", { name: "Path timeline" });
    await timeline.getByText("a handshake went through").first().waitFor();
    await see(page, "Addresses tried");
    await see(page, "it has not told");
    await page.getByText("Show as command").nth(2).click();
    await page.getByText(`mcc explain path ${short(first.id)}`).waitFor();
    await page.reload();
    await timeline.waitFor();
    assert.match(page.url(), new RegExp(`sel=${first.id}`));
    await page.context().close();
  });

  journey("a check that cannot be made is refused in words", async () => {
    const page = await open(third, "/#/network");
    await onPurpose(async () => {
      await page.getByRole("button", { name: "Check again" }).click();
      await page.getByRole("alert").getByText("a check needs two peers").waitFor();
    });
    await audit(page, "refused check");
    await page.context().close();
  });

  journey("a tunnel tells the timeline of its provider's path", async () => {
    await sends(await address(), 1000);
    const page = await open(third, "/#/tunnels");
    await row(page, "Tunnels", "shop").getByRole("button", { name: "shop", exact: true }).click();
    await page.getByRole("list", { name: "Path timeline" }).getByText("a handshake went through").first().waitFor();
    await audit(page, "tunnel with its path");
    await page.context().close();
  });

  journey("by keyboard only", async () => {
    const page = await open(third, "/");
    await heading(page, "Overview");
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await heading(page, "Network");
    const opener = row(page, "Peers by path", short(first.id)).getByRole("button", { name: short(first.id), exact: true });
    await opener.waitFor();
    for (let i = 0; !(await opener.evaluate((e) => e === document.activeElement)); i++) {
      assert.ok(i < 80, "the row is reached by the tab key");
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "Path timeline" }).waitFor();
    assert.ok(await opener.evaluate((e) => e === document.activeElement), "the focus stays");
    await page.keyboard.press("Escape");
    await page.getByRole("list", { name: "Path timeline" }).waitFor({ state: "detached" });
    await page.context().close();
  });

  journey("every width in both themes, with a row open", async () => {
    for (const width of widths) {
      for (const theme of THEMES) {
        const page = await open(third, `/#/network?sel=${first.id}`, { viewport: { width, height: 900 }, colorScheme: theme });
        await page.getByRole("list", { name: "Path timeline" }).waitFor();
        await audit(page, `network at ${width} in ${theme}`);
        if (shots) await page.screenshot({ path: `${shots}/network-${width}-${theme}.png`, fullPage: true });
        if (shots) {
          await page.goto(`${third.http}/#/tunnels`);
          await heading(page, "Tunnels");
          await row(page, "Tunnels", "shop").getByRole("button", { name: "shop", exact: true }).click();
          await page.getByRole("list", { name: "Path timeline" }).waitFor();
          await page.screenshot({ path: `${shots}/tunnel-${width}-${theme}.png`, fullPage: true });
        }
        await page.context().close();
      }
    }
  });

  return journeys;
}
