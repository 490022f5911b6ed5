/** gRPC's codes (github.com/grpc/grpc, doc/statuscodes.md), as far as they change what a person has to do. */
export const grpcCodes = {
  cancelled: 1,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The gRPC code of `error` or of what caused it. */
export function grpcCodeOf(error: unknown): number | undefined {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if ('code' in e && typeof e.code === 'number') return e.code;
  return undefined;
}
