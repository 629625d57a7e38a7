// What an answer of /verify means for the page. Pure functions: no page, no state.

/**
 * Reads an answer.
 *
 * @param {number} status of HTTP.
 * @param {object|null} said its JSON; null where it was none.
 * @returns {{state: 'yes'|'no'|'no_face'|'error', faces: object[], best: number, found: number, said: object,
 *   problem: object|null}} `best` is the face that scores highest, `found` how many there are (50 are scored at most).
 */
export function readAnswer(status, said) {
  const none = { faces: [], best: -1, found: 0, said: said ?? {}, problem: null };
  if (status === 200 && said && typeof said.score === 'number') {
    const faces = said.faces ?? [{ ...said.face, ...pick(said, ['is_me', 'score', 'strangers_like_this', 'hints']) }];
    const best = faces.reduce((high, face, at) => (face.score > faces[high].score ? at : high), 0);
    return { ...none, state: faces[best].is_me ? 'yes' : 'no', faces, best, found: said.faces_found ?? faces.length };
  }
  const code = said?.code ?? '';
  const text = said?.message ?? said?.error ?? ''; // what a proxy says by itself has `error` alone
  const problem = { status, code, text, detail: said?.detail ?? '', hints: said?.hints ?? [] };
  return { ...none, state: code === 'no_face' ? 'no_face' : 'error', problem };
}

/** Those of the fields that an object has. */
function pick(object, names) {
  return Object.fromEntries(names.filter((name) => name in object).map((name) => [name, object[name]]));
}

/** The face that a photo is judged by; null where there is none. */
export const bestFace = (result) => result.faces[result.best] ?? null;
