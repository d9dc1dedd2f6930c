import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import type { FlatNamespace } from 'i18next';
import { isApiError } from '@/api/problem';
import { type BotTab, botTabs } from '@/bots/tabs';
import { type EventArea, eventAreas } from '@/events/areas';
import { loadTexts } from '@/i18n';
import { meQuery } from '@/session/queries';
import { lastTenant, rememberTenant } from '@/tenants/last';
import { persistent } from '@/ui/persistent';
import { type WorkerTab, workerTabs } from '@/workers/tabs';
import { NotFoundPage, RouteError } from './fallbacks';

// Every page is a chunk of its own. A slice's pages hang below the frame (signed-in/t/$tenant); the address of the
// chosen Worker (?worker=) stays while people go from page to page. Behind a page are the slices whose texts come with
// it.

const page = <T extends Record<string, unknown>, K extends keyof T>(
  load: () => Promise<T>,
  name: K,
  ...texts: FlatNamespace[]
) => lazyRouteComponent(async () => (await Promise.all([persistent(load), loadTexts(...texts)]))[0], name);

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
  errorComponent: RouteError,
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: text(search.next) }),
  component: page(() => import('@/session/LoginPage'), 'LoginPage', 'session'),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  validateSearch: (search: Record<string, unknown>): { token?: string } => ({ token: text(search.token) }),
  component: page(() => import('@/session/InvitationPage'), 'InvitationPage', 'session'),
});

/** Everything below needs a log-in. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    try {
      return { me: await context.queryClient.ensureQueryData(meQuery) };
    } catch (error) {
      if (!isApiError(error, 'unauthenticated')) throw error;
      throw redirect({ to: '/login', search: location.href === '/' ? {} : { next: location.href } });
    }
  },
  component: page(() => import('./SignedIn'), 'SignedIn'),
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  beforeLoad: ({ context: { me } }) => {
    const remembered = lastTenant();
    const membership = me.tenants.find((m) => m.tenant.slug === remembered) ?? me.tenants[0];
    if (membership) throw redirect({ to: '/t/$tenant', params: { tenant: membership.tenant.slug } });
    if (me.operator) throw redirect({ to: '/operator' });
  },
  component: page(() => import('@/tenants/NoTenantPage'), 'NoTenantPage'),
});

const account = createRoute({
  getParentRoute: () => signedIn,
  path: '/account',
  component: page(() => import('@/session/AccountPage'), 'AccountPage', 'session'),
});

/** A tenant's pages, within the frame. */
const tenant = createRoute({
  getParentRoute: () => signedIn,
  path: '/t/$tenant',
  validateSearch: (search: Record<string, unknown>): { worker?: string } => ({ worker: text(search.worker) }),
  search: { middlewares: [retainSearchParams(['worker'])] },
  beforeLoad: ({ params, context: { me } }) => {
    if (me.tenants.some((m) => m.tenant.slug === params.tenant)) rememberTenant(params.tenant);
  },
  component: page(() => import('./TenantFrame'), 'TenantFrame'),
});

const overview = createRoute({
  getParentRoute: () => tenant,
  path: '/',
  component: page(() => import('@/overview/OverviewPage'), 'OverviewPage', 'overview'),
});

export interface WorkersSearch {
  view?: 'board' | 'list';
  q?: string;
  state?: 'attention' | 'running' | 'stopped' | 'busy';
  sort?: string;
}

const workers = createRoute({
  getParentRoute: () => tenant,
  path: '/workers',
  validateSearch: (search: Record<string, unknown>): WorkersSearch => ({
    view: search.view === 'list' ? 'list' : search.view === 'board' ? 'board' : undefined,
    q: text(search.q),
    state: (['attention', 'running', 'stopped', 'busy'] as const).find((s) => s === search.state),
    sort: text(search.sort),
  }),
  component: page(() => import('@/workers/WorkersPage'), 'WorkersPage'),
});

const newWorker = createRoute({
  getParentRoute: () => tenant,
  path: '/workers/new',
  component: page(() => import('@/workers/NewWorkerPage'), 'NewWorkerPage'),
});

const worker = createRoute({
  getParentRoute: () => tenant,
  path: '/workers/$workerId',
  validateSearch: (search: Record<string, unknown>): { tab?: WorkerTab } => ({
    tab: workerTabs.find((tab) => tab === search.tab),
  }),
  component: page(() => import('@/workers/WorkerPage'), 'WorkerPage', 'bots'),
});

export interface BotsSearch {
  q?: string;
  state?: 'attention' | 'running' | 'stopped' | 'busy';
  kind?: 'assistant' | 'program';
}

const bots = createRoute({
  getParentRoute: () => tenant,
  path: '/bots',
  validateSearch: (search: Record<string, unknown>): BotsSearch => ({
    q: text(search.q),
    state: (['attention', 'running', 'stopped', 'busy'] as const).find((s) => s === search.state),
    kind: (['assistant', 'program'] as const).find((k) => k === search.kind),
  }),
  component: page(() => import('@/bots/BotsPage'), 'BotsPage', 'bots', 'secrets'),
});

const newBot = createRoute({
  getParentRoute: () => tenant,
  path: '/bots/new',
  validateSearch: (search: Record<string, unknown>): { kind?: 'assistant' | 'program' } => ({
    kind: (['assistant', 'program'] as const).find((k) => k === search.kind),
  }),
  component: page(() => import('@/bots/NewBotPage'), 'NewBotPage', 'bots', 'secrets'),
});

const bot = createRoute({
  getParentRoute: () => tenant,
  path: '/bots/$botId',
  validateSearch: (search: Record<string, unknown>): { tab?: BotTab; created?: boolean } => ({
    tab: botTabs.find((tab) => tab === search.tab),
    created: search.created === true || undefined,
  }),
  component: page(() => import('@/bots/BotPage'), 'BotPage', 'bots', 'secrets'),
});

/** A day as in 2026-01-31. */
const day = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined;

export interface ActivitySearch {
  q?: string;
  bot?: string;
  user?: string;
  area?: EventArea;
  levels?: 'problems';
  from?: string;
  to?: string;
}

const activity = createRoute({
  getParentRoute: () => tenant,
  path: '/activity',
  validateSearch: (search: Record<string, unknown>): ActivitySearch => ({
    q: text(search.q),
    bot: text(search.bot),
    user: text(search.user),
    area: eventAreas.find((area) => area === search.area),
    levels: search.levels === 'problems' ? 'problems' : undefined,
    from: day(search.from),
    to: day(search.to),
  }),
  component: page(() => import('@/events/ActivityPage'), 'ActivityPage'),
});

const team = createRoute({
  getParentRoute: () => tenant,
  path: '/team',
  component: page(() => import('@/team/TeamPage'), 'TeamPage', 'team'),
});

const secrets = createRoute({
  getParentRoute: () => tenant,
  path: '/secrets',
  component: page(() => import('@/secrets/SecretsPage'), 'SecretsPage', 'secrets'),
});

const tokens = createRoute({
  getParentRoute: () => tenant,
  path: '/tokens',
  component: page(() => import('@/team/TokensPage'), 'TokensPage', 'team'),
});

/** The operator's pages, within a frame of their own. */
const operator = createRoute({
  getParentRoute: () => signedIn,
  path: '/operator',
  component: page(() => import('@/operator/OperatorFrame'), 'OperatorFrame', 'operator'),
});

const operatorTenants = createRoute({
  getParentRoute: () => operator,
  path: '/',
  component: page(() => import('@/operator/TenantsPage'), 'TenantsPage'),
});

const operatorTenant = createRoute({
  getParentRoute: () => operator,
  path: '/tenants/$tenantId',
  component: page(() => import('@/operator/TenantPage'), 'TenantPage'),
});

const operatorPlans = createRoute({
  getParentRoute: () => operator,
  path: '/plans',
  component: page(() => import('@/operator/PlansPage'), 'PlansPage'),
});

const operatorPlatform = createRoute({
  getParentRoute: () => operator,
  path: '/platform',
  component: page(() => import('@/operator/PlatformPage'), 'PlatformPage'),
});

const routeTree = root.addChildren([
  login,
  invitation,
  signedIn.addChildren([
    home,
    account,
    tenant.addChildren([overview, workers, newWorker, worker, bots, newBot, bot, activity, team, secrets, tokens]),
    operator.addChildren([operatorTenants, operatorTenant, operatorPlans, operatorPlatform]),
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFoundPage,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
