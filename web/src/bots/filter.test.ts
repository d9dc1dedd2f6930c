import { describe, expect, it } from 'vitest';
import type { Bot } from '@/api/resources';
import { countGroups, filterBots } from './filter';

const bot = (name: string, state: Bot['status']['state'], kind: Bot['kind'] = 'assistant', worker_id = 'w1') =>
  ({ id: name, name, kind, worker_id, status: { state } }) as Bot;

const bots = [
  bot('Vendas', 'running'),
  bot('Tributário', 'crash_loop'),
  bot('Importador', 'backoff', 'program', 'w2'),
  bot('Arquivo', 'stopped', 'program'),
];
const workers = new Map([
  ['w1', 'Comercial'],
  ['w2', 'Financeiro'],
]);
const compare = (a: string, b: string) => a.localeCompare(b);
const names = (filter: Parameters<typeof filterBots>[2]) =>
  filterBots(bots, workers, filter, compare).map((b) => b.name);

describe('filterBots', () => {
  it('puts what needs a person first', () =>
    expect(names({})).toEqual(['Tributário', 'Importador', 'Arquivo', 'Vendas']));
  it('finds by name without accents', () => expect(names({ query: 'tributario' })).toEqual(['Tributário']));
  it("finds by the Worker's name", () => expect(names({ query: 'financeiro' })).toEqual(['Importador']));
  it('narrows by state and kind', () => expect(names({ state: 'stopped', kind: 'program' })).toEqual(['Arquivo']));
});

it('counts the groups', () => expect(countGroups(bots)).toEqual({ attention: 2, running: 1, busy: 0, stopped: 1 }));
