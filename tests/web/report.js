// report.js PAGE FOLDER: opens a page of the report in headless Chromium as people do - wide and narrow, light and dark,
// by mouse and by keys, on paper, without scripts - and prints what happened as JSON. Run where playwright-core is installed.
const fs = require('fs');
const path = require('path');
const {chromium} = require(require.resolve('playwright-core', {paths: [process.cwd()]}));

const [file, folder] = process.argv.slice(2);
const address = 'file://' + path.resolve(file);
const options = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function main() {
  const found = {messages: [], requests: []};
  const browser = await chromium.launch({executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: options});

  // A page in a window of its own; what it complains about and asks for is noted.
  async function open(settings, where) {
    const context = await browser.newContext({viewport: {width: 1280, height: 900}, reducedMotion: 'reduce', ...settings});
    const page = await context.newPage();
    page.on('console', message => found.messages.push(message.type() + ': ' + message.text()));
    page.on('pageerror', error => found.messages.push('error: ' + error));
    page.on('request', request => { if (!request.url().startsWith(address)) found.requests.push(request.url()); });
    await page.goto(where || address);
    return page;
  }

  // ---- sizes and colours ----
  found.overflow = {};
  for (const width of [320, 390, 768, 1280, 1920]) {
    const page = await open({viewport: {width, height: 800}});
    found.overflow[width] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (width === 390) found.smallest = await page.evaluate(() => Math.min(...Array.from(
      document.querySelectorAll('p, td, h1, h2, li, summary'), e => parseFloat(getComputedStyle(e).fontSize))));
    await page.context().close();
  }
  // Contrast of text with what is behind it, by the formula of WCAG 2; of texts that stand on one colour.
  const contrasts = () => {
    const parts = color => color.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
    const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
    let worst = 99;
    for (const e of document.querySelectorAll('h1, h2, h3, p, li, td, th, dt, dd b, dd span, summary, a, code, figcaption, footer'))
      if (e.textContent.trim() && e.offsetParent && !e.closest('svg'))
        worst = Math.min(worst, ratio(parts(getComputedStyle(e).color), behind(e)));
    const boxes = Array.from(document.querySelectorAll('#icicle .box'), box => ratio(
      parts(getComputedStyle(box.querySelector('text')).fill), parts(getComputedStyle(box.querySelector('rect')).fill)));
    return {worst: Math.min(worst, ...boxes), paper: luminance(behind(document.body))};
  };
  found.light = await (await open({colorScheme: 'light'})).evaluate(contrasts);
  found.dark = await (await open({colorScheme: 'dark'})).evaluate(contrasts);

  // ---- by keys ----
  const page = await open({});
  found.title = await page.title();
  await page.keyboard.press('Tab');
  found.skip = await page.evaluate(() => document.activeElement.textContent);
  const column = (id, key) => page.evaluate(([id, key]) => {
    const table = document.getElementById(id), at = Array.from(table.tHead.rows[0].cells).findIndex(th => th.dataset.k === key);
    return Array.from(table.tBodies[0].rows).filter(row => !row.hidden).map(row => row.cells[at].dataset.v || row.cells[at].textContent);
  }, [id, key]);
  const head = key => page.locator('#types-table th[data-k="' + key + '"]');
  found.sorted = {};
  for (const [key, times] of [['count', 1], ['count', 2], ['type', 1], ['type', 2]]) {
    await head(key).locator('button').focus();
    if (!(key in found.sorted) || times === 1) found.sorted[key] = [];
    await page.keyboard.press('Enter');
    found.sorted[key].push([await head(key).getAttribute('aria-sort'), await column('types-table', key)]);
  }
  const names = await column('types-table', 'type');
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await page.keyboard.type(process.env.FILTER || names[0].slice(0, 3));
  found.filtered = [await page.locator('.filter output').textContent(), await column('types-table', 'type')];
  for (let i = 0; i < 40; i++) await page.keyboard.press('Backspace');
  found.unfiltered = (await column('types-table', 'type')).length === names.length;

  // ---- the icicle, by mouse and by keys ----
  const state = () => page.evaluate(() => Array.from(document.querySelectorAll('#icicle .box'), box => ({
    n: Number(box.dataset.n), up: Number(box.dataset.up), away: box.classList.contains('away'),
    x: parseFloat(box.getAttribute('x')), width: parseFloat(box.getAttribute('width')),
    here: box.classList.contains('here'), focused: box === document.activeElement})));
  found.boxes = {start: await state()};
  if (found.boxes.start.length > 2) {
    await page.locator('#icicle .box[data-n="2"]').click({position: {x: 5, y: 5}, force: true});
    found.boxes.clicked = await state();
    found.said = await page.locator('#icicle-said').textContent();
    await page.locator('#icicle .box[data-n="0"]').click({position: {x: 5, y: 5}});
    found.boxes.back = await state();
    await page.keyboard.press('ArrowDown');
    found.boxes.down = await state();
    await page.keyboard.press('Enter');
    found.boxes.entered = await state();
    await page.keyboard.press('Escape');
    found.boxes.escaped = await state();
  }

  // ---- on paper ----
  await page.emulateMedia({media: 'print'});
  found.print = await page.evaluate(() => ({
    nav: getComputedStyle(document.querySelector('nav')).display,
    overflow: document.documentElement.scrollWidth - innerWidth}));
  await page.emulateMedia({media: null});
  await page.evaluate(() => addEventListener('beforeprint', () => { window.folded = document.querySelectorAll('details:not([open])').length; }));
  await page.pdf({path: path.join(folder, 'page.pdf'), format: 'A4'});
  found.print.folded = await page.evaluate(() => window.folded);
  found.print.folded_after = await page.evaluate(() => document.querySelectorAll('details:not([open])').length);
  found.print.pages = fs.readFileSync(path.join(folder, 'page.pdf'), 'latin1').split('/Type /Page\n').length - 1;

  // ---- without scripts ----
  const plain = await open({javaScriptEnabled: false});
  found.plain = {boxes: await plain.locator('#icicle .box').count(), list: await plain.locator('details.tree').count()};
  await plain.locator('details.tree > summary').click();
  found.plain.unfolded = await plain.locator('details.tree li').first().isVisible();

  // ---- a page that was tampered with: what is put in does not run ----
  const noted = found.messages.length, asked = found.requests.length, loaded = [];
  const bad = path.join(folder, 'bad.html');
  const attacks = '<script>document.title = "hacked"</script><img src="x" onerror="document.title = \'hacked\'">' +
    '<svg onload="document.title = \'hacked\'"></svg><a id="attack" href="javascript:document.title = \'hacked\'">here</a>' +
    '<img src="https://example.invalid/x.png"><style>body { display: none }</style><iframe src="https://example.invalid"></iframe>';
  fs.writeFileSync(bad, fs.readFileSync(file, 'utf8').replace('<h1>', attacks + '<h1>'));
  const tampered = await open({}, 'file://' + bad);
  tampered.on('response', response => loaded.push(response.url()));
  await tampered.reload();
  await tampered.locator('#attack').click();
  await tampered.waitForTimeout(300);
  found.tampered = {title: await tampered.title(), display: await tampered.evaluate(() => getComputedStyle(document.body).display),
    loaded: loaded.filter(url => url !== 'file://' + bad),
    refused: found.messages.splice(noted).filter(message => /Content Security Policy/.test(message)).length};
  found.requests.splice(asked); // what is asked for there is refused: see what was loaded
  await browser.close();
  console.log(JSON.stringify(found));
}
main().catch(error => { console.error(error); process.exit(1); });
