// How figures are written. Pure functions: no page, no state.

const CHECKED_SHARE = 1e-4 / 3; // below it, the estimate goes on in a straight line that no face has checked
const MEGABYTE = 2 ** 20; // as the service counts

/**
 * A score with two digits, and more where it takes more to see on which side of the threshold it lies. What is nearly
 * 0 or 1 is said to be below or above.
 *
 * @param {number} score 0 to 1.
 * @param {number} threshold 0 to 1.
 * @param {string} language such as "en".
 */
export function scoreText(score, threshold, language) {
  let digits = 2;
  while (digits < 6 && score !== threshold && Number(score.toFixed(digits)) === Number(threshold.toFixed(digits))) digits++;
  if (digits === 2 && score > 0 && score < 0.005) return `<\u00a0${plain(0.01, language)}`;
  if (digits === 2 && score < 1 && score >= 0.995) return `>\u00a0${plain(0.99, language)}`;
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
 * @returns {{key: string, values: object}|null} null where nothing is known.
 */
export function strangersText(share, language) {
  if (share == null) return null;
  const whole = (count) => new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(count);
  if (share < CHECKED_SHARE) return { key: 'strangers.fewer', values: { number: whole(1 / CHECKED_SHARE) } };
  if (share < 0.095) return { key: 'strangers.one', values: { number: whole(1 / share) } };
  if (share > 0.995) return { key: 'strangers.all', values: {} };
  return { key: 'strangers.percent', values: { number: percent(share, language) } };
}

/** A sentence with its full stop. */
export const stopped = (text) => (!text || /[.!?…:]$/.test(text) ? text : `${text}.`);

/** Bytes as people read them. */
export function size(bytes, language) {
  if (bytes < MEGABYTE / 10) return `${plain(Math.max(1, bytes / 1024), language, 0)}\u00a0kB`;
  return `${plain(bytes / MEGABYTE, language, 1)}\u00a0MB`;
}
