import { describe, expect, it } from 'vitest';
import { joinCommand, splitCommand } from './command';

describe('splitCommand', () => {
  it.each([
    ['python3 bot.py', ['python3', 'bot.py']],
    ['  node   server.js  --port 8080 ', ['node', 'server.js', '--port', '8080']],
    [`sh -c 'echo "a b"'`, ['sh', '-c', 'echo "a b"']],
    [`say "it's \\"so\\""`, ['say', `it's "so"`]],
    ['a\\ b c', ['a b', 'c']],
    [`''`, ['']],
    ['', []],
  ])('%s', (line, words) => expect(splitCommand(line)).toEqual(words));

  it('waits for the end of a quote', () => expect(splitCommand(`sh -c 'echo`)).toBeUndefined());
});

describe('joinCommand', () => {
  it.each([[['python3', 'bot.py']], [['sh', '-c', `echo "it's"; exit 1`]], [['', 'a b', '\\', '$HOME']]])(
    'gives back what it was made of: %j',
    (words) => expect(splitCommand(joinCommand(words))).toEqual(words),
  );
});
