/** Endpoints as `rotate.yaml` writes them: `db-1:5432`, `10.0.0.5:6432`, `[fd00::5]:5432`. */

export interface Endpoint {
  /** Name or address; an IPv6 address without its brackets. */
  address: string;
  port: number;
}

/** Reads `host:port`; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@[\]]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return address === undefined || port < 1 || port > 65_535 ? undefined : { address, port };
}
