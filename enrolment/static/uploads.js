// Sends photos one after another, two at a time, in the order in which they came.

import { call, Refused } from './api.js';

const AT_ONCE = 2;

const waiting = [];
let sending = 0;
let tell;

/**
 * Prepares.
 *
 * @param {(change: {pending: {key: number, name: string}[], state?: object, problem?: Refused, name?: string}) => void}
 *   listener told whenever a photo has been sent, and of what is still to be sent.
 */
export function begin(listener) {
  tell = listener;
}

const all = [];
let next = 0;

/** Sends files; an answer or a problem comes for each. */
export function send(files) {
  for (const { file, name } of files) {
    const one = { key: next++, name, file };
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

async function sent({ file, name }) {
  try {
    const { state } = await call('POST', 'photos', file, { 'X-Photo-Name': encodeURIComponent(name) });
    return { state };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === 'too_many') drop(); // the others would be told the same
    return { problem: error, name };
  }
}

function drop() {
  for (const one of waiting.splice(0)) all.splice(all.indexOf(one), 1);
}
