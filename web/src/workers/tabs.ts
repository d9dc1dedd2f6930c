/** The tabs of a Worker's page, as they are in its address. */
export const workerTabs = ['overview', 'usage', 'events', 'settings'] as const;
export type WorkerTab = (typeof workerTabs)[number];
