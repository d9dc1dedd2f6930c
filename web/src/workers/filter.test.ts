import { describe, expect, it } from 'vitest';
import type { Bot, Worker, WorkerState } from '@/api/resources';
import { countGroups, filterWorkers, formatSort, parseSort } from './filter';

const worker = (id: string, name: string, state: WorkerState, cpu = 500): Worker => ({
  id,
  tenant_id: 'ten_1',
  name,
  isolation: 'container',
  size: { cpu_millis: cpu, memory_mib: 512, disk_gib: 2 },
  desired: 'running',
  restarts_requested: 0,
  version: 1,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  status: { state, reason: 'runs', since: '2026-01-01T00:00:00Z', failures: 0, agent_outdated: false },
});
const workers = [
  worker('1', 'Operações', 'running', 1000),
  worker('2', 'Atendimento', 'degraded', 250),
  worker('3', 'Financeiro', 'stopped'),
];
const bots = new Map([['3', [{ id: 'b', name: 'Contas a Pagar' } as Bot]]]);
const compare = new Intl.Collator('pt-BR').compare;
const names = (ws: Worker[]) => ws.map((w) => w.name);
const byName = { key: 'name', descending: false } as const;

describe('filterWorkers', () => {
  it('finds by name without regard to case and accents', () => {
    expect(names(filterWorkers(workers, bots, { query: 'operacoes', sort: byName }, compare))).toEqual(['Operações']);
  });
  it('finds a Worker by the name of a bot in it', () => {
    expect(names(filterWorkers(workers, bots, { query: 'contas', sort: byName }, compare))).toEqual(['Financeiro']);
  });
  it('keeps the states of a group', () => {
    expect(names(filterWorkers(workers, bots, { state: 'attention', sort: byName }, compare))).toEqual(['Atendimento']);
    expect(names(filterWorkers(workers, bots, { state: 'stopped', sort: byName }, compare))).toEqual(['Financeiro']);
  });
  it('sorts by name, by size, and what needs attention first by state', () => {
    const sorted = (key: 'name' | 'cpu' | 'state' | 'bots', descending = false) =>
      names(filterWorkers(workers, bots, { sort: { key, descending } }, compare));
    expect(sorted('name')).toEqual(['Atendimento', 'Financeiro', 'Operações']);
    expect(sorted('name', true)).toEqual(['Operações', 'Financeiro', 'Atendimento']);
    expect(sorted('cpu')).toEqual(['Atendimento', 'Financeiro', 'Operações']);
    expect(sorted('state')[0]).toBe('Atendimento');
    expect(sorted('bots', true)[0]).toBe('Financeiro');
  });
  it('leaves the given list as it was', () => {
    const before = [...workers];
    filterWorkers(workers, bots, { sort: { key: 'name', descending: true } }, compare);
    expect(workers).toEqual(before);
  });
});

it('counts the groups', () => {
  expect(countGroups(workers)).toEqual({ attention: 1, running: 1, stopped: 1, busy: 0 });
});

it('keeps a sort in the address and ignores what is none', () => {
  expect(formatSort(parseSort('-cpu'))).toBe('-cpu');
  expect(parseSort('nonsense')).toEqual(byName);
  expect(parseSort(undefined)).toEqual(byName);
});
