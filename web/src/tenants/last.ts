const key = 'baas-tenant';

/** The tenant that the person last looked at in this browser. */
export const lastTenant = (): string | null => localStorage.getItem(key);

export const rememberTenant = (slug: string): void => localStorage.setItem(key, slug);
