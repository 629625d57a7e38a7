// Sends photos one after another, two at a time, in the order of their names. What is too large is made smaller first.

import { call, Refused } from './api.js';
import { CannotShrink, prepare } from './shrink.js';
import { language, t } from './texts.js';
import { size } from './words.js';

const AT_ONCE = 2;

const waiting = [];
let sending = 0;
let tell;

/**
 * Prepares.
 *
 * @param {(change: {pending: {key: number, name: string}[], state?: object, problem?: Refused, name?: string,
 *   shrunk?: {id: string, bytes: number}}) => void} listener told whenever a photo has been sent, and of what is still to
 *   be sent; `shrunk` says how many bytes a photo had that was made smaller.
 */
export function begin(listener) {
  tell = listener;
}

const all = [];
let next = 0;

/** Sends files, none with more than `limit` bytes; an answer or a problem comes for each. */
export function send(files, limit) {
  const inOrder = [...files].sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  for (const { file, name } of inOrder) {
    const one = { key: next++, name, file, limit };
    waiting.push(one);
    all.push(one);
  }
  tell({ pending: all });
  while (sending < AT_ONCE && waiting.length) work();
}

async function work() {
  sending++;
  while (waiting.length) {
    const one = waiting.shift();
    const change = await sent(one);
    all.splice(all.indexOf(one), 1);
    tell({ pending: all, ...change });
  }
  sending--;
}

async function sent({ file, name, limit }) {
  try {
    const fitting = await fit(file, limit);
    const { id, state } = await call('POST', 'photos', fitting, { 'X-Photo-Name': encodeURIComponent(name) });
    return { state, shrunk: fitting === file ? undefined : { id, bytes: file.size } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === 'too_many') drop(); // the others would be told the same
    return { problem: error, name };
  }
}

/** What to send of a file: the very bytes, unless they are too many. */
async function fit(file, limit) {
  if (file.size <= limit) return file;
  try {
    return (await prepare(file, { max_bytes: limit, max_megapixels: Infinity, accepted_types: [] })).blob;
  } catch (error) {
    if (!(error instanceof CannotShrink)) throw error;
    throw new Refused('too_large', t('error.large', { bytes: size(file.size, language()), limit: size(limit, language()) }));
  }
}

function drop() {
  for (const one of waiting.splice(0)) all.splice(all.indexOf(one), 1);
}
