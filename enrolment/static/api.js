// Asks this machine's program. The token comes from behind the # of the address, and goes with every request.

import { language } from './texts.js';

const KEPT = 'enrol-token'; // of this tab and this port alone, where a cookie would go to every port

let token = '';

/** What was asked for cannot be done, or nobody answers; the message is for people. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Takes the token from the address, or from an earlier load of this tab.
 *
 * @throws {Refused} there is none, or it does not count any more.
 */
export async function enter() {
  const given = location.hash.slice(1);
  token = given || sessionStorage.getItem(KEPT) || '';
  if (given) history.replaceState(null, '', location.pathname); // neither the history nor a screenshot keeps it
  token = (await call('POST', 'enter')).token;
  sessionStorage.setItem(KEPT, token);
}

/**
 * Asks.
 *
 * @param {string} method of HTTP.
 * @param {string} path below api/.
 * @param {object|Blob|null} body JSON, or a file as it is.
 * @param {Record<string, string>} more headers.
 * @returns {Promise<object>} the answer.
 * @throws {Refused} it says no, or says nothing.
 */
export async function call(method, path, body = null, more = {}) {
  const isFile = body instanceof Blob;
  const type = isFile ? { 'Content-Type': body.type || 'application/octet-stream' } : body ? { 'Content-Type': 'application/json' } : {};
  const response = await send(method, path, body && !isFile ? JSON.stringify(body) : body, { ...type, ...more });
  let said;
  try {
    said = await response.json();
  } catch {
    said = {};
  }
  if (!response.ok) throw new Refused(said.code ?? 'unknown', said.message ?? `${response.status} ${response.statusText}`);
  return said;
}

/** A picture, as an address that the page can show. */
export async function picture(path) {
  const response = await send('GET', path);
  if (!response.ok) throw new Refused('no_picture', '');
  return URL.createObjectURL(await response.blob());
}

async function send(method, path, body = null, headers = {}) {
  try {
    return await fetch(`api/${path}`, {
      method,
      body,
      headers: { 'X-Enrol-Token': token, 'Accept-Language': language(), ...headers },
    });
  } catch {
    throw new Refused('unreachable', '');
  }
}
