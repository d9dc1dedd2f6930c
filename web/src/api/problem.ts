/** What went wrong, as the API says it (RFC 9457), or as the network did. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable; what the code switches on. "network" when there was no answer. */
  readonly code: string;
  readonly fields: { field: string; message: string }[];
  /** Seconds until another try makes sense. */
  readonly retryAfter?: number;
  readonly requestId?: string;

  constructor(init: {
    status: number;
    code: string;
    message: string;
    fields?: { field: string; message: string }[];
    retryAfter?: number;
    requestId?: string;
  }) {
    super(init.message);
    this.name = 'ApiError';
    this.status = init.status;
    this.code = init.code;
    this.fields = init.fields ?? [];
    this.retryAfter = init.retryAfter;
    this.requestId = init.requestId;
  }
}

export const isApiError = (error: unknown, ...codes: string[]): error is ApiError =>
  error instanceof ApiError && (codes.length === 0 || codes.includes(error.code));

interface Problem {
  status?: number;
  code?: string;
  detail?: string;
  title?: string;
  request_id?: string;
  errors?: { field?: string; location?: string; message?: string }[] | null;
}

/** Reads a problem document; an answer that is none (a proxy's page, say) becomes a plain error. */
export function errorOf(response: Response, body: unknown): ApiError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Problem;
  const retryAfter = Number(response.headers.get('Retry-After'));
  return new ApiError({
    status: response.status,
    code: problem.code ?? (response.status === 401 ? 'unauthenticated' : 'internal'),
    message: problem.detail ?? problem.title ?? response.statusText,
    fields: (problem.errors ?? []).map((e) => ({
      field: (e.field ?? e.location ?? '').replace(/^body\./, ''),
      message: e.message ?? '',
    })),
    retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
    requestId: problem.request_id ?? response.headers.get('X-Request-Id') ?? undefined,
  });
}
