// What people do who have a keyboard and no mouse: get to everything on a page, into what opens over it, and out again.

/** Runs in the page: notes what the keyboard stops at within an element, and what there is for the mouse alone. */
function survey(root) {
  const interactive = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const drawn = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const words = (e) => `${e.tagName.toLowerCase()} "${(e.ariaLabel ?? e.textContent ?? '').trim().slice(0, 50)}"`;
  // Of a group of radio buttons only the chosen one is a stop, or the first where none is; arrows go to the others.
  const chosen = (e) => {
    const group = [...root.querySelectorAll(`input[type=radio][name="${e.name}"]`)];
    return e === (group.find((r) => r.checked) ?? group[0]);
  };
  const stop = (e) =>
    e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && drawn(e) && (e.type !== 'radio' || chosen(e));
  window.stops = [...root.querySelectorAll(interactive)].filter(stop);
  const mouseOnly = [...root.querySelectorAll('*')].filter(
    (e) =>
      getComputedStyle(e).cursor === 'pointer' &&
      drawn(e) &&
      !e.closest(`${interactive}, label, [role=option], [role=menuitem]`) &&
      !e.querySelector(interactive),
  );
  return { stops: window.stops.length, mouseOnly: mouseOnly.map(words) };
}

/** Presses Tab up to so many times, until all that survey noted was reached; gives what was not. */
async function missed(page, stops, times, each = async () => true) {
  const reached = new Set();
  for (let i = 0; i < times && reached.size < stops; i++) {
    await page.keyboard.press('Tab');
    if (!(await each())) break;
    reached.add(await page.evaluate(() => window.stops.indexOf(document.activeElement)));
    reached.delete(-1);
  }
  return page.evaluate(
    (reached) => window.stops.flatMap((e, i) => (reached.includes(i) ? [] : [e.outerHTML.slice(0, 140)])),
    [...reached],
  );
}

/** What on the page never gets the keyboard's focus. */
export async function unreachable(page) {
  const { stops, mouseOnly } = await page.locator('body').evaluate(survey);
  await page.evaluate(() => document.activeElement?.blur());
  // Some more steps than there are stops: the browser itself is one, and the page may grow meanwhile.
  return [...mouseOnly, ...(await missed(page, stops, stops + 40))].map((e) => `the keyboard doesn't reach ${e}`);
}

const focused = (e) => e === document.activeElement;
const holdsFocus = (e) => e.contains(document.activeElement);

/** Whether it becomes true soon, which what moves on a page may take. */
async function becomes(locator, what) {
  for (let i = 0; i < 40; i++) {
    if (await locator.evaluate(what)) return true;
    await locator.page().waitForTimeout(50);
  }
  return false;
}

/** Presses one thing after the other to open something: buttons with Enter, items of menus once arrows got to them. */
export async function open(targets) {
  for (const target of targets) {
    await target.waitFor();
    if ((await target.getAttribute('role')) !== 'menuitem') await target.focus();
    for (let i = 0; i < 12 && !(await target.evaluate(focused)); i++) await target.page().keyboard.press('ArrowDown');
    await target.page().keyboard.press('Enter');
  }
}

/**
 * What is wrong with a dialog or menu that is open. The focus goes into it, gets everywhere in it (by Tab in a dialog,
 * which it doesn't leave; by arrows in a menu), and Escape closes it and brings the focus back to what opened it.
 */
export async function trouble(over, opener) {
  const page = over.page();
  const keyboard = page.keyboard;
  const wrongs = [];
  if (!(await becomes(over, holdsFocus))) return ['the focus does not go into it'];
  if ((await over.getAttribute('role')) === 'menu') {
    const items = over.getByRole('menuitem');
    const reached = new Set();
    const count = await items.count();
    for (let i = 0; i <= count; i++) {
      reached.add(await items.evaluateAll((all) => all.indexOf(document.activeElement)));
      await keyboard.press('ArrowDown');
    }
    reached.delete(-1);
    if (reached.size < count) wrongs.push(`arrows reach ${reached.size} of its ${count} items`);
  } else {
    const { stops } = await over.evaluate(survey);
    let inside = true;
    const stays = async () => {
      inside &&= await over.evaluate(holdsFocus);
      return inside;
    };
    for (const e of await missed(page, stops, 2 * stops + 2, stays)) wrongs.push(`the keyboard doesn't reach ${e}`);
    for (let i = 0; i <= stops && inside; i++) {
      await keyboard.press('Shift+Tab');
      await stays();
    }
    if (!inside) wrongs.push('Tab leads out of it');
  }
  await keyboard.press('Escape');
  try {
    await over.waitFor({ state: 'hidden', timeout: 5_000 });
  } catch {
    return [...wrongs, 'Escape leaves it open'];
  }
  if (!(await becomes(opener, focused))) {
    const now = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 140));
    wrongs.push(`the focus doesn't go back to what opened it, but to ${now}`);
  }
  return wrongs;
}
