// How figures are written. Pure functions: no page, no state.

// As faces/shares.py has them: a test holds the two in step.
const CHECKED_SHARE = 1e-4 / 3; // below it, the estimate goes on in a straight line that no face has checked
const USUAL_SHARE = 0.01; // from it on, a score is a usual one for a stranger
const MEGABYTE = 2 ** 20; // as the service counts

/**
 * A score with two digits, and more where it takes more to see on which side of the threshold it lies. What is nearly
 * 0 or 1 is said to be below or above, and so is 0 or 1 itself: beside the others it would look out of order.
 *
 * @param {number} score 0 to 1.
 * @param {number} threshold 0 to 1.
 * @param {string} language such as "en".
 */
export function scoreText(score, threshold, language) {
  let digits = 2;
  while (digits < 6 && score !== threshold && Number(score.toFixed(digits)) === Number(threshold.toFixed(digits))) digits++;
  if (digits === 2 && score < 0.005) return `<\u00a0${plain(0.01, language)}`;
  if (digits === 2 && score >= 0.995) return `>\u00a0${plain(0.99, language)}`;
  return plain(score, language, digits, 2);
}

/** A number with at most so many decimals. */
export function plain(value, language, most = 2, least = 0) {
  const format = { minimumFractionDigits: least, maximumFractionDigits: most };
  return new Intl.NumberFormat(language, format).format(value);
}

/** A share as a percentage with two digits that count: 0.0123 is "1.2 %". */
export function percent(share, language) {
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(100 * share);
  return `${number}\u00a0%`;
}

/**
 * A share of strangers, in words: which text says it, and its figure.
 *
 * @param {number|undefined} share 0 to 1.
 * @param {string} language such as "en".
 * @param {boolean} isMe whether the answer is yes: beside a no, a text says first whether the score is a usual one.
 * @returns {{key: string, short: string, values: object}|null} null where nothing is known; `short` is the text for a
 *   table, the same beside a yes and a no.
 */
export function strangersText(share, language, isMe = true) {
  if (share == null) return null;
  const [kind, values] = figureOf(share, language);
  const beside = isMe ? '' : share < USUAL_SHARE ? '.rare' : '.usual';
  return { key: `strangers.${kind}${beside}`, short: `strangers.${kind}.short`, values };
}

function figureOf(share, language) {
  const whole = (count) => new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(count);
  if (share < CHECKED_SHARE) return ['fewer', { number: whole(1 / CHECKED_SHARE) }];
  if (share < 0.095) return ['one', { number: whole(1 / share) }];
  if (share > 0.995) return ['all', {}];
  return ['percent', { number: percent(share, language) }];
}

/** A sentence with its full stop. */
export const stopped = (text) => (!text || /[.!?…:]$/.test(text) ? text : `${text}.`);

/** What went wrong, with what the service says more of it. */
export const problemText = ({ text, detail }) => (detail ? `${stopped(text)} ${stopped(detail)}` : text);

/** Bytes as people read them. */
export function size(bytes, language) {
  if (bytes < MEGABYTE / 10) return `${plain(Math.max(1, bytes / 1024), language, 0)}\u00a0kB`;
  return `${plain(bytes / MEGABYTE, language, 1)}\u00a0MB`;
}
