// The keys of every catalogue, so that a text that doesn't exist is a type error.
import type app from '../app/pt-BR.json';
import type bots from '../bots/pt-BR.json';
import type events from '../events/pt-BR.json';
import type moves from '../moves/pt-BR.json';
import type operator from '../operator/pt-BR.json';
import type overview from '../overview/pt-BR.json';
import type search from '../search/pt-BR.json';
import type secrets from '../secrets/pt-BR.json';
import type session from '../session/pt-BR.json';
import type status from '../status/pt-BR.json';
import type support from '../support/pt-BR.json';
import type team from '../team/pt-BR.json';
import type tenants from '../tenants/pt-BR.json';
import type ui from '../ui/pt-BR.json';
import type usage from '../usage/pt-BR.json';
import type workers from '../workers/pt-BR.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'app';
    contextSeparator: '~';
    resources: {
      app: typeof app;
      bots: typeof bots;
      events: typeof events;
      moves: typeof moves;
      operator: typeof operator;
      overview: typeof overview;
      search: typeof search;
      secrets: typeof secrets;
      session: typeof session;
      status: typeof status;
      support: typeof support;
      team: typeof team;
      tenants: typeof tenants;
      ui: typeof ui;
      usage: typeof usage;
      workers: typeof workers;
    };
  }
}
