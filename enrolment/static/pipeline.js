// A run of the pipeline: which stage it is at, and what came of it.

import { button, element, find, icon, say } from './dom.js';
import { t, textOr } from './texts.js';
import { plain, stopped } from './words.js';

let act;
let shown = '';

/**
 * Prepares the view.
 *
 * @param {{stop: () => void, again: () => void, more: () => void, report: () => void}} actions what its buttons do.
 */
export function begin(actions) {
  act = actions;
}

/** Shows what runs, or what came of it; `closed` where the person is done with that. */
export function show(state, closed) {
  const place = find('#run');
  const { run } = state;
  const quiet = !run || closed || (run.kind === 'export' && run.status === 'done');
  place.hidden = quiet;
  const wanted = JSON.stringify([quiet, run, state.accepted, document.documentElement.lang]);
  if (quiet || wanted === shown) return;
  shown = wanted;
  const open = find('details', place)?.open ?? false;
  const at = find('pre', place);
  const follows = !at || at.scrollTop + at.clientHeight >= at.scrollHeight - 8;
  place.dataset.status = run.status;
  place.replaceChildren(...parts(state));
  const log = find('details', place);
  if (log) {
    log.open = open;
    if (follows) find('pre', log).scrollTop = 1e6;
  }
}

function parts(state) {
  const { run } = state;
  if (run.status === 'done') return done(state);
  if (run.status === 'failed') return [heading('alert', t(`run.failed.${run.kind}`)), problem(run), again(run), log(run)];
  if (run.status === 'stopped') return [heading('stop', t('run.stopped')), element('p', {}, t('run.stopped.text')), again(run), log(run)];
  return going(run);
}

function heading(name, text) {
  say(text);
  return element('h2', {}, element('span', { class: 'run-mark', 'aria-hidden': 'true' }, icon(name)), text);
}

const problem = (run) => element('p', { class: 'error' }, stopped(run.error));

function again({ kind }) {
  const more = kind === 'pipeline' && button(t('done.more'), 'photo', () => act.more());
  return element('div', { class: 'buttons' }, button(t('run.again'), 'again', () => act.again(), 'primary'), more);
}

function going(run) {
  const count = run.done.length + (run.stage ? 1 : 0);
  const bar = element('progress', {
    max: run.stages.length, 'aria-label': t('run.label'),
    value: run.done.length + (run.stage && run.percent ? run.percent / 100 : 0),
  });
  const at = run.stage ? t('run.at', { number: count, all: run.stages.length, stage: nameOf(run.stage) }) : t('run.begins');
  if (run.kind === 'export') {
    return [heading('model', t('run.preparing')), element('p', { class: 'note' }, t('run.preparing.text')), bar, log(run)];
  }
  const stop = button(t(run.status === 'stopping' ? 'run.stopping' : 'run.stop'), 'stop', () => act.stop());
  stop.disabled = run.status === 'stopping';
  return [
    heading('model', t('run.going')),
    element('p', { class: 'note' }, at),
    bar,
    element('ol', { class: 'stages' }, ...run.stages.map((stage) => step(stage, run))),
    element('div', { class: 'buttons' }, stop),
    log(run),
  ];
}

function step(stage, run) {
  const state = run.done.includes(stage) ? 'done' : stage === run.stage ? 'now' : 'later';
  const percent = state === 'now' && run.percent !== null ? ` ${run.percent}\u00a0%` : '';
  return element(
    'li', { 'data-state': state, 'aria-current': state === 'now' ? 'step' : false },
    element('span', { class: 'step-mark', 'aria-hidden': 'true' }, state === 'done' && icon('yes')),
    element('span', {}, nameOf(stage) + percent),
    state === 'done' && element('span', { class: 'unseen' }, t('run.done')),
  );
}

const nameOf = (stage) => textOr(`stage.${stage}`, stage);

function done(state) {
  const seconds = plain(state.run.seconds, document.documentElement.lang, 0);
  return [
    heading('yes', t('done.title')),
    element('p', {}, t('done.text', { count: state.existing, seconds })),
    element(
      'div', { class: 'buttons' },
      element('a', { class: 'button primary', href: '../ui' }, icon('face'), element('span', {}, t('done.ask'))),
      button(t('done.more'), 'photo', () => act.more()),
    ),
    element('p', { class: 'note' }, t(state.strangers ? 'done.measured' : 'done.alone'), ' ', report(), '.'),
    log(state.run),
  ];
}

const report = () => element('button', { type: 'button', class: 'link', onclick: () => act.report() }, 'reports/INFORME_H10.html');

function log(run) {
  if (!run.lines.length) return '';
  const lines = element('pre', { tabindex: 0, 'aria-label': t('run.log') }, run.lines.join('\n'));
  return element('details', { class: 'log' }, element('summary', {}, t('run.log')), lines);
}
