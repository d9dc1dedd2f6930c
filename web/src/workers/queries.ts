import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { allPages, client, ifMatch, must } from '@/api/client';
import { keepSame, refreshItems, reread, upsert } from '@/api/collection';
import type { Refresh } from '@/api/live';
import type { ResizeEffect, Size, Worker } from '@/api/resources';
import { tenantKeys, useTenantSlug } from '@/tenants/queries';

export const workerKeys = {
  list: (tenant: string) => [...tenantKeys.all(tenant), 'workers'] as const,
};

const readWorker = (tenant: string, worker: string): Promise<Worker> =>
  must(client.GET('/tenants/{tenant}/workers/{worker}', { params: { path: { tenant, worker } } }));

/** Every Worker that the person sees. It is kept up to date by the stream of changes. */
export const workersQuery = (tenant: string) =>
  queryOptions({
    queryKey: workerKeys.list(tenant),
    queryFn: ({ signal }): Promise<Worker[]> =>
      allPages((cursor) =>
        must(
          client.GET('/tenants/{tenant}/workers', {
            params: { path: { tenant }, query: { cursor, limit: 500 } },
            signal,
          }),
        ),
      ),
    structuralSharing: keepSame,
  });

export const useWorkers = () => useQuery(workersQuery(useTenantSlug()));

/** One Worker out of all; data is null when there is none with the id. */
export function useWorker(id: string) {
  return useQuery({
    ...workersQuery(useTenantSlug()),
    select: (workers: Worker[]) => workers.find((w) => w.id === id) ?? null,
  });
}

export const refreshWorkers: Refresh = async (cache, tenant, ids) => {
  await Promise.all([
    refreshItems(cache, workerKeys.list(tenant), ids, (id) => readWorker(tenant, id)),
    reread(cache, tenantKeys.totals(tenant)),
  ]);
};

/** Puts answers of the API into the cached list. */
function useStore() {
  const cache = useQueryClient();
  const tenant = useTenantSlug();
  return {
    cache,
    tenant,
    put: (worker: Worker) => {
      cache.setQueryData<Worker[]>(workerKeys.list(tenant), (list) => list && upsert(list, [worker]));
      void cache.invalidateQueries({ queryKey: tenantKeys.totals(tenant) });
    },
    /** After a conflict: shows what is saved now. */
    reread: async (id: string) => {
      const worker = await readWorker(tenant, id);
      cache.setQueryData<Worker[]>(workerKeys.list(tenant), (list) => list && upsert(list, [worker]));
      return worker;
    },
  };
}

export interface WorkerInput {
  name: string;
  image?: string;
  isolation: Worker['isolation'];
  size: Size;
}

export function useCreateWorker() {
  const { tenant, put } = useStore();
  return useMutation({
    mutationFn: (body: WorkerInput) =>
      must(client.POST('/tenants/{tenant}/workers', { params: { path: { tenant } }, body })),
    onSuccess: put,
  });
}

export type WorkerChange = Partial<Pick<Worker, 'name' | 'image' | 'isolation'>>;

export function useUpdateWorker(id: string) {
  const { tenant, put, reread } = useStore();
  const mutation = useMutation({
    mutationFn: ({ version, change }: { version: number; change: WorkerChange }) =>
      must(
        client.PATCH('/tenants/{tenant}/workers/{worker}', {
          params: { path: { tenant, worker: id }, header: ifMatch(version) },
          body: change,
        }),
      ),
    onSuccess: put,
  });
  return { ...mutation, reread: () => reread(id) };
}

export function useResizeWorker(id: string) {
  const { tenant, put, reread } = useStore();
  const mutation = useMutation({
    mutationFn: ({
      version,
      size,
    }: {
      version: number;
      size: Size;
    }): Promise<{ worker: Worker; effect: ResizeEffect }> =>
      must(
        client.POST('/tenants/{tenant}/workers/{worker}/resize', {
          params: { path: { tenant, worker: id }, header: ifMatch(version) },
          body: size,
        }),
      ),
    onSuccess: ({ worker }) => put(worker),
  });
  return { ...mutation, reread: () => reread(id) };
}

export type WorkerAction = 'start' | 'stop' | 'restart';

export function useWorkerAction() {
  const { tenant, put } = useStore();
  return useMutation({
    mutationFn: ({ id, action }: { id: string; action: WorkerAction }) => {
      const params = { params: { path: { tenant, worker: id } } };
      switch (action) {
        case 'start':
          return must(client.POST('/tenants/{tenant}/workers/{worker}/start', params));
        case 'stop':
          return must(client.POST('/tenants/{tenant}/workers/{worker}/stop', params));
        case 'restart':
          return must(client.POST('/tenants/{tenant}/workers/{worker}/restart', params));
      }
    },
    onSuccess: put,
  });
}

export function useDeleteWorker(id: string) {
  const { tenant, put } = useStore();
  return useMutation({
    mutationFn: (confirm: string) =>
      must(
        client.DELETE('/tenants/{tenant}/workers/{worker}', {
          params: { path: { tenant, worker: id }, query: { confirm } },
        }),
      ),
    onSuccess: put,
  });
}
