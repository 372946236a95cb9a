// The 46 expressions in plain words. Each entry: label, then one name, or the names of the person's left and right.
const pair = (stem) => [`${stem}Left`, `${stem}Right`];

export const GROUPS = [
  ['Mouth', [
    ['Smile', ...pair('mouthSmile')],
    ['Corner down', ...pair('mouthFrown')],
    ['Corner back', ...pair('mouthStretch')],
    ['Dimple', ...pair('mouthDimple')],
    ['To the side', 'mouthLeft', 'mouthRight'],
    ['Kiss', 'mouthPucker'],
    ['Rounded, as in “oh”', 'mouthFunnel'],
  ]],
  ['Brows', [
    ['Inner ends raised', 'browInnerUp'],
    ['Outer end raised', ...pair('browOuterUp')],
    ['Lowered', ...pair('browDown')],
  ]],
  ['Eyes', [
    ['Closed', ...pair('eyeBlink')],
    ['Wide open', ...pair('eyeWide')],
    ['Squinting', ...pair('eyeSquint')],
    ['Looking up', ...pair('eyeLookUp')],
    ['Looking down', ...pair('eyeLookDown')],
  ]],
  ['Cheeks and nose', [
    ['Cheeks puffed', 'cheekPuff'],
    ['Cheek raised', ...pair('cheekSquint')],
    ['Nose wrinkled', ...pair('noseSneer')],
  ]],
  ['Jaw', [
    ['Open', 'jawOpen'],
    ['Forward', 'jawForward'],
    ['To the side', 'jawLeft', 'jawRight'],
  ]],
  ['Lips', [
    ['Upper lip raised', ...pair('mouthUpperUp')],
    ['Lower lip lowered', ...pair('mouthLowerDown')],
    ['Pressed together', ...pair('mouthPress')],
    ['Upper lip rolled in', 'mouthRollUpper'],
    ['Lower lip rolled in', 'mouthRollLower'],
    ['Upper lip pushed up', 'mouthShrugUpper'],
    ['Lower lip pushed up', 'mouthShrugLower'],
  ]],
];

/** Name -> words, for example "Brows: lowered, left". */
export const WORDS = new Map(
  GROUPS.flatMap(([group, entries]) =>
    entries.flatMap(([label, ...names]) =>
      names.map((name, i) => {
        const end = names.length === 1 ? '' : i ? ', right' : ', left';
        return [name, `${group}: ${label[0].toLowerCase()}${label.slice(1)}${end}`];
      }),
    ),
  ),
);
