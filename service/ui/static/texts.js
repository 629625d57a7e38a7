// The page's texts: es.json and en.json. The language is the browser's, until somebody chooses one.

const LANGUAGES = ['en', 'es'];
const OF_THE_PAGE = { host: location.host, paste: /Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘V' : 'Ctrl+V' };
const loaded = {};
const listeners = [];
let current = 'en';

export const language = () => current;

/**
 * A text.
 *
 * @param {string} key in the files of texts; with a `count` among the values, `key.one` and `key.other` are.
 * @param {object} values by the names of the placeholders; numbers are written as the language does.
 */
export function t(key, values = {}) {
  const texts = loaded[current];
  const plural = 'count' in values ? `${key}.${new Intl.PluralRules(current).select(values.count) === 'one' ? 'one' : 'other'}` : key;
  const text = texts[plural];
  if (text === undefined) throw new Error(`no text ${plural} in ${current}.json`);
  return text.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat(current).format(value) : value;
  });
}

/** A text, or what else is to be said where there is none. */
export const textOr = (key, otherwise) => (key in loaded[current] ? t(key) : otherwise);

/** Calls a function each time when another language has been chosen. */
export const whenLanguageChanges = (listener) => listeners.push(listener);

/** Loads the texts and writes them into the page. */
export async function begin() {
  for (const control of document.querySelectorAll('[data-language]')) {
    control.addEventListener('click', () => choose(control.dataset.language));
  }
  await show(remembered() ?? ofBrowser());
}

async function choose(wanted) {
  try {
    localStorage.setItem('language', wanted);
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
  await show(wanted);
  for (const listener of listeners) listener();
}

async function show(wanted) {
  loaded[wanted] ??= await (await fetch(`ui/${wanted}.json`)).json();
  current = wanted;
  document.documentElement.lang = wanted;
  document.title = t('title');
  for (const control of document.querySelectorAll('[data-language]')) {
    control.setAttribute('aria-pressed', String(control.dataset.language === wanted));
  }
  for (const place of document.querySelectorAll('[data-t]')) place.textContent = t(place.dataset.t, OF_THE_PAGE);
  for (const place of document.querySelectorAll('[data-t-label]')) place.setAttribute('aria-label', t(place.dataset.tLabel));
}

function remembered() {
  try {
    const kept = localStorage.getItem('language');
    return LANGUAGES.includes(kept) ? kept : null;
  } catch {
    return null;
  }
}

function ofBrowser() {
  const wanted = navigator.languages.map((name) => name.slice(0, 2).toLowerCase());
  return wanted.find((name) => LANGUAGES.includes(name)) ?? 'en';
}
