// Puts the page together: it shows what the program's state says, and asks for that again and again.

import * as accept from './accept.js';
import { call, enter, Refused } from './api.js';
import { element, find, icon, say } from './dom.js';
import * as grid from './grid.js';
import * as photos from './photos.js';
import * as pipeline from './pipeline.js';
import * as shots from './shots.js';
import * as texts from './texts.js';
import * as uploads from './uploads.js';
import { stopped } from './words.js';

const BUSY = 500; // milliseconds between two looks while something runs
const IDLE = 2500; // and else: another tab may have changed something

const { t } = texts;
let state = null;
let pending = [];
let closed = false; // whether the person is done with what came of the last run
let gone = false; // whether the program does not answer

function render() {
  if (!state) return;
  const running = state.run?.kind === 'pipeline' && !closed;
  const learning = state.phase === 'running' || (running && state.run.status !== 'done');
  const finished = running && state.run.status === 'done' && state.phase === 'ready';
  const anything = state.photos.length + pending.length > 0;
  const quiet = state.phase === 'preparing' || state.phase === 'broken' || learning || finished;
  document.body.dataset.view = learning || finished ? 'run' : anything ? 'photos' : 'start';
  find('#in').hidden = quiet;
  find('#photos').hidden = !anything || learning || finished;
  if (quiet) shots.stop();
  mark(finished ? 'ask' : learning ? 'learn' : 'photos');
  grid.show(state.photos, pending, state.phase === 'running');
  accept.show(finished || learning ? { ...state, phase: 'running' } : state, pending.length > 0);
  pipeline.show(state, closed);
  notes();
}

function mark(step) {
  const names = ['photos', 'learn', 'ask'];
  for (const item of document.querySelectorAll('#steps li')) {
    const place = names.indexOf(item.dataset.step) - names.indexOf(step);
    item.dataset.state = place < 0 ? 'done' : place === 0 ? 'now' : 'later';
    if (place === 0) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

/** What is to be known beforehand. */
function notes() {
  const changed = state.note && document.body.dataset.view === 'start'; // it is told once, before the first photo
  const said = [
    state.blocked,
    changed && t('note.network'),
    state.demo && t('note.demo'),
    !state.checks_others && t('note.unchecked'),
  ].filter(Boolean);
  fill(find('#note'), state.blocked ? 'lock' : 'hint', said, changed ? state.note : '');
}

/** Says what is wrong; '' for nothing. */
function tell(...sentences) {
  fill(find('#problem'), 'alert', sentences.filter(Boolean));
}

/** Shows sentences; `more` is folded away below them. */
function fill(place, mark_, sentences, more = '') {
  place.hidden = !sentences.length;
  const wanted = sentences.map(stopped).join('\n');
  if (place.dataset.said === wanted + more) return;
  place.dataset.said = wanted + more;
  const folded = more && element('details', {}, element('summary', {}, t('note.network.more')), element('p', {}, stopped(more)));
  place.replaceChildren(icon(mark_), element('div', {}, ...wanted.split('\n').map((text) => element('p', {}, text)), folded));
}

/** Does something that answers with the new state; says why where it cannot. */
async function doing(work) {
  try {
    state = await work();
    tell();
  } catch (error) {
    explain(error);
  }
  render();
}

function explain(error, name = '') {
  if (!(error instanceof Refused)) throw error;
  const text = error.code === 'unreachable' ? t('error.unreachable') : error.message;
  tell(name ? `${name}: ${text}` : text);
}

async function look() {
  try {
    const now = await call('GET', 'state');
    if (gone) tell();
    gone = false;
    if (now.phase === 'running' && state?.phase !== 'running') closed = false; // perhaps begun in another tab
    state = now;
    render();
  } catch (error) {
    gone = error instanceof Refused;
    explain(error);
  }
  const busy = state && ['preparing', 'running'].includes(state.phase);
  setTimeout(look, document.hidden ? 2 * IDLE : busy ? BUSY : IDLE);
}

function take(files) {
  if (!state || find('#in').hidden) return;
  tell();
  uploads.send(files, state.max_bytes);
}

function learn(agreed) {
  closed = false;
  doing(() => call('POST', 'run', { agreed }));
  window.scrollTo({ top: 0 });
}

function again() {
  if (state.run?.kind === 'export') doing(() => call('POST', 'prepare'));
  else if (state.consent || state.photos.length) more(); // they wait to be looked at once more
  else learn(false);
}

function more() {
  closed = true;
  render();
}

/** Opens the report. A link cannot send the token, so the program gives it an address that counts once. */
async function report() {
  try {
    location.assign((await call('POST', 'report')).address);
  } catch (error) {
    explain(error);
  }
}

async function openCamera() {
  tell(await shots.start());
}

async function begin() {
  await texts.begin();
  grid.begin({
    choose: (id, taken) => doing(() => call('PUT', `photos/${id}`, { taken })),
    remove: (id) => doing(() => call('DELETE', `photos/${id}`)),
  });
  accept.begin(learn);
  pipeline.begin({ stop: () => doing(() => call('DELETE', 'run')), again, more, report });
  shots.begin((file) => take([{ file, name: file.name }]));
  uploads.begin((change) => {
    pending = change.pending;
    if (change.shrunk) grid.wasLarger(change.shrunk.id, change.shrunk.bytes);
    if (change.state) state = change.state;
    if (change.problem) explain(change.problem, change.name);
    render();
    if (!pending.length && change.state) say(t('said.looked', { count: state.photos.filter((photo) => photo.taken).length }));
  });
  photos.begin(take);
  find('#camera-start').addEventListener('click', openCamera);
  texts.whenLanguageChanges(() => doing(() => call('GET', 'state')));
  await enter();
  await look();
  document.body.classList.add('ready');
}

begin().catch((error) => {
  find('#in').hidden = true;
  if (error instanceof Refused) explain(error);
  else tell(`${error.message}. ${document.documentElement.lang === 'es' ? 'La página no se ha podido cargar.' : 'The page could not be loaded.'}`);
  document.body.classList.add('ready');
  if (!(error instanceof Refused)) throw error;
});
