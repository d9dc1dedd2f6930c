import type { Program } from '@/api/resources';
import { joinCommand, splitCommand } from './command';

export type HealthKind = 'none' | 'http' | 'tcp' | 'command';

/** A variable as the form holds it. */
export interface EnvRow {
  key: string;
  name: string;
  kind: 'value' | 'secret';
  value: string;
  secret: string;
}

/** What the form of a program holds. */
export interface ProgramValues {
  command: string;
  env: EnvRow[];
  port: number | '';
  health: HealthKind;
  health_path: string;
  health_command: string;
  interval: number;
  restart_after: number;
  restart: NonNullable<Program['restart']>;
  stop_seconds: number;
}

export const emptyProgram: ProgramValues = {
  command: '',
  env: [],
  port: '',
  health: 'none',
  health_path: '/healthz',
  health_command: '',
  interval: 10,
  restart_after: 0,
  restart: 'always',
  stop_seconds: 10,
};

let lastRow = 0;

export const newRow = (init: Partial<EnvRow> = {}): EnvRow => ({
  key: String(lastRow++),
  name: '',
  kind: 'value',
  value: '',
  secret: '',
  ...init,
});

export function programValuesOf(p: Program | undefined): ProgramValues {
  if (!p) return emptyProgram;
  const h = p.health;
  return {
    command: joinCommand(p.command),
    env: (p.env ?? []).map((e, i) => ({
      key: `saved-${i}`,
      name: e.name,
      kind: e.secret ? 'secret' : 'value',
      value: e.value ?? '',
      secret: e.secret ?? '',
    })),
    port: p.port || '',
    health: !h ? 'none' : h.http ? 'http' : h.tcp ? 'tcp' : 'command',
    health_path: h?.http || emptyProgram.health_path,
    health_command: h?.command ? joinCommand(h.command) : '',
    interval: h?.interval_seconds || 10,
    restart_after: h?.restart_after ?? 0,
    restart: p.restart ?? 'always',
    stop_seconds: p.stop_seconds || 10,
  };
}

/** The program with these values; what the form doesn't show stays as it is. */
export function programOf(v: ProgramValues, before?: Program): Program {
  const shared = {
    ...before?.health,
    http: undefined,
    tcp: undefined,
    command: undefined,
    interval_seconds: v.interval,
    restart_after: v.restart_after,
  };
  return {
    command: splitCommand(v.command) ?? [],
    env: v.env
      .filter((e) => e.name !== '')
      .map((e) =>
        e.kind === 'secret' ? { name: e.name, secret: e.secret } : { name: e.name, value: e.value || undefined },
      ),
    port: v.port || undefined,
    health:
      v.health === 'none'
        ? undefined
        : v.health === 'http'
          ? { ...shared, http: v.health_path }
          : v.health === 'tcp'
            ? { ...shared, tcp: true }
            : { ...shared, command: splitCommand(v.health_command) ?? [] },
    restart: v.restart,
    stop_seconds: v.stop_seconds,
  };
}

/** Reads lines such as NAME=value, as .env files have them. */
export function parseEnv(text: string): { name: string; value: string }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line);
    if (!match?.[1]) return [];
    const value = (match[2] ?? '').trim();
    const quoted = /^(["'])(.*)\1$/s.exec(value);
    return [{ name: match[1], value: quoted?.[2] ?? value }];
  });
}

/** Whether a variable's name says that its value should be a secret. */
export const looksSecret = (name: string): boolean =>
  /(?:^|_)(?:key|token|secret|password|passwd|pwd|senha|credential|credentials)(?:_|$)/i.test(name);

export const largestUpload = 64 * 2 ** 20;

/** Why a file can't be uploaded, or undefined. */
export function uploadProblem(file: { name: string; size: number }): 'kind' | 'size' | undefined {
  if (!/\.(?:zip|tar\.gz|tgz)$/i.test(file.name)) return 'kind';
  if (file.size > largestUpload) return 'size';
  return undefined;
}
