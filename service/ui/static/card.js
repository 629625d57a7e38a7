// The model's card: what it is, what it learnt from, how often it is wrong. Nothing where the service has none.

import { headers } from './ask.js';
import { element, find, icon } from './dom.js';
import { language, t, textOr, whenLanguageChanges } from './texts.js';
import { chip } from './verdict.js';
import { percent, plain } from './words.js';

let card = null;
let plots = new Map(); // by name, the address of a picture in memory

/** Asks for the card and shows it. */
export async function begin() {
  whenLanguageChanges(() => card && render());
  await load();
}

/** Asks again, for instance when a key has been given. */
export async function load() {
  const response = await fetch('model/card', { headers: headers() }).catch(() => null);
  card = response?.ok ? await response.json() : null;
  find('#card').hidden = !card;
  if (!card) return;
  render();
  find('#card').addEventListener('toggle', showPlots, { once: true });
}

function render() {
  const title = element('summary', {}, icon('model'), element('h2', {}, t('card.title')), element('span', {}, card.backbone));
  find('#card').replaceChildren(title, element('div', { class: 'card-body' }, facts(), figures(), gallery()));
}

function facts() {
  const { photos } = card;
  const trained = new Date(card.trained);
  const when = Number.isNaN(trained.getTime()) ? card.trained : new Intl.DateTimeFormat(language(), { dateStyle: 'long' }).format(trained);
  const rows = [
    ['card.backbone', card.backbone],
    ['card.verifier', card.verifier],
    ['card.trained', when],
    ['card.photos', t('card.photos.text', { me: photos.me, others: photos.not_me, people: photos.people })],
    ['card.threshold', card.threshold == null ? '–' : plain(card.threshold, language(), 4)],
  ];
  return element('dl', {}, ...rows.flatMap(([key, value]) => [element('dt', {}, t(key)), element('dd', {}, value)]));
}

function figures() {
  if (!card.figures?.length) return null;
  const head = ['card.figure', 'card.value', 'card.interval', 'card.basis'].map((key) => element('th', { scope: 'col' }, t(key)));
  const rows = card.figures.map(({ name, value, interval, basis }) => element(
    'tr', {},
    element('th', { scope: 'row' }, textOr(`figure.${name}`, name)),
    element('td', {}, share(value)),
    element('td', {}, interval ? `${share(interval[0])} – ${share(interval[1])}` : '–'),
    element('td', {}, basis ? chip(basis) : '–'),
  ));
  const caption = element('caption', {}, t('card.figures'));
  return element('table', {}, caption, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
}

/** Shares as percentages, counts as they are. */
function share(value) {
  if (value == null) return '–';
  return value >= 0 && value <= 1 ? percent(value, language()) : plain(value, language(), 2);
}

function gallery() {
  if (!card.plots?.length) return null;
  const pictures = card.plots.map((plot) => {
    const image = element('img', { alt: plot.alt[language()] ?? '', src: plots.get(plot.name), 'data-plot': plot.name });
    return element('figure', {}, image, element('figcaption', {}, plot.title[language()] ?? plot.name));
  });
  return element('div', { class: 'plots' }, ...pictures);
}

/** Loads the pictures when the card is opened: an address alone could not carry the key. */
async function showPlots() {
  for (const { name } of card.plots ?? []) {
    const response = await fetch(`model/plots/${encodeURIComponent(name)}.png`, { headers: headers() });
    if (response.ok) plots.set(name, URL.createObjectURL(await response.blob()));
    const image = find(`[data-plot="${CSS.escape(name)}"]`);
    if (image && plots.has(name)) image.src = plots.get(name);
  }
}
