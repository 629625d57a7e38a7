// The key that the service may ask for. It is kept for this tab, and gone when the tab is closed.

import { find } from './dom.js';
import { t } from './texts.js';

const NAME = 'key';
let kept = '';
let waiting = () => {};

export const key = () => kept;

/**
 * Prepares the form for the key.
 *
 * @param {boolean} needed whether the service asks for one.
 * @param {() => void} given called when somebody has typed one.
 */
export function begin(needed, given) {
  keep(read());
  waiting = given;
  find('#key').addEventListener('submit', (event) => {
    event.preventDefault();
    keep(find('#key-input').value.trim());
    find('#key-input').value = '';
    find('#key').hidden = true;
    waiting();
  });
  find('#key-forget').addEventListener('click', () => {
    keep('');
    open('');
  });
  find('#key').hidden = !needed || kept !== '';
}

/** Whether a question would be in vain: then the form is shown. */
export function lacksKey(needed) {
  if (!needed || kept) return false;
  open('');
  return true;
}

/** Whether a status of HTTP is about the key. */
export const refuses = (status) => [401, 403].includes(status);

/** Whether an answer, as readAnswer, is about the key and not about the photo. */
export const isAboutKey = (result) => refuses(result.problem?.status);

/** The service has refused the key, or the lack of one. */
export function keyMissing(said) {
  const refused = said?.code === 'key_missing' ? null : said?.message; // that one asks for a key, and here is one
  const wrong = kept ? (refused ?? t('key.wrong')) : '';
  keep('');
  open(wrong);
}

function open(wrong) {
  find('#key').hidden = false;
  find('#key-wrong').textContent = wrong;
  find('#key-input').focus();
}

function keep(value) {
  kept = value;
  find('#key-forget').hidden = !value;
  try {
    if (value) sessionStorage.setItem(NAME, value);
    else sessionStorage.removeItem(NAME);
  } catch {
    // Storage is switched off: the key holds until the page is loaded again.
  }
}

function read() {
  try {
    return sessionStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}
