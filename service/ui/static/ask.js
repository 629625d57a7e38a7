// Asks the service about a photo, and waits where it says that it is busy.

import { readAnswer } from './answer.js';
import { key, keyMissing, refuses } from './key.js';
import { language, t } from './texts.js';

const MOST_TRIES = 5;
const LONGEST_WAIT = 60; // seconds

/** What the service takes, and whether it needs a key: ui/settings.json. */
export async function readSettings() {
  const response = await fetch('ui/settings.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`ui/settings.json: ${response.status}`);
  return response.json();
}

/** The headers of a request: the language of its texts and, where there is one, the key. */
export function headers() {
  return { 'Accept-Language': language(), ...(key() ? { 'X-API-Key': key() } : {}) };
}

/**
 * Asks about a photo.
 *
 * @param {Blob} blob a photo that fits the limits.
 * @param {{signal?: AbortSignal, waiting?: (seconds: number) => void}} options `waiting` is called each second while
 *   the service asks for patience.
 * @returns {Promise<object>} as readAnswer.
 */
export async function ask(blob, { signal, waiting } = {}) {
  for (let tries = 1; ; tries++) {
    const form = new FormData();
    form.append('image', blob, 'photo');
    form.append('faces', 'all');
    let response;
    try {
      response = await fetch('verify', { method: 'POST', body: form, headers: headers(), signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      return readAnswer(0, { error: t('error.unreachable'), code: 'unreachable' });
    }
    const wait = Number(response.headers.get('Retry-After'));
    if ([429, 503].includes(response.status) && wait > 0 && wait <= LONGEST_WAIT && tries < MOST_TRIES) {
      await response.body?.cancel();
      await patience(wait, waiting, signal);
      continue;
    }
    const said = await response.json().catch(() => null);
    if (signal?.aborted) throw signal.reason;
    if (refuses(response.status)) keyMissing(said);
    return readAnswer(response.status, said ?? { error: t('error.status', { status: String(response.status) }) });
  }
}

/** Waits so many seconds, and says each second how many are left. */
async function patience(seconds, waiting, signal) {
  for (let left = Math.ceil(seconds); left > 0; left--) {
    waiting?.(left);
    await second(signal);
  }
}

function second(signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, 1000);
    signal?.addEventListener('abort', stop);
  });
}
