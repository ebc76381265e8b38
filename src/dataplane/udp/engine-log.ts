/** How an engine says what happened to it. Never called per datagram. */

export type EngineLogLevel = 'info' | 'warn' | 'error';

export type EngineLog = (level: EngineLogLevel, message: string) => void;

export const silentLog: EngineLog = () => {};
