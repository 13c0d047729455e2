// A `MessageTransport` that wraps another one: the base class of decorators. By itself it changes nothing.

import type { CloseFrame } from "../../shared/close-code.js";
import type { PieceHandler } from "../../protocol/message/piece-decoder.js";
import type { CloseCause } from "../../connection/close-info.js";
import type { Message } from "../../connection/reading/inbox.js";
import type { Address } from "../../connection/ports.js";
import type { TextBytes } from "../../shared/text-bytes.js";
import type { Role } from "../../shared/role.js";
import type {
  FrameObserver,
  Fragment,
  LinkWords,
  SendSettings,
  SharedMessage,
  MessageTransport,
  TransportFailure,
  TransportSession,
  MessageTransportHandler,
  MessageTransportFactory,
} from "../../connection/message-transport.js";

export abstract class TransportDecorator implements MessageTransport, MessageTransportHandler {
  /** The wrapped transport. */
  protected readonly transport: MessageTransport;
  /** The handler of this transport's events. */
  protected readonly handler: MessageTransportHandler;

  protected constructor(below: MessageTransportFactory, handler: MessageTransportHandler) {
    this.handler = handler;
    this.transport = below(this);
  }

  get role(): Role {
    return this.transport.role;
  }

  get frameObserver(): FrameObserver | null {
    return this.handler.frameObserver;
  }

  refreshObserver(): void {
    this.transport.refreshObserver?.();
  }

  get hasBusyReader(): boolean {
    return this.handler.hasBusyReader;
  }

  get remoteAddress(): Address | null {
    return this.transport.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.transport.localAddress;
  }

  get link(): LinkWords | null {
    return this.transport.link ?? null;
  }

  get canPing(): boolean {
    return this.transport.canPing;
  }

  get bufferedAmount(): number {
    return this.transport.bufferedAmount;
  }

  get isReceiving(): boolean {
    return this.transport.isReceiving ?? false;
  }

  get unsentBytes(): number {
    return this.transport.unsentBytes;
  }

  get bytesReceived(): number {
    return this.transport.bytesReceived;
  }

  get bytesSent(): number {
    return this.transport.bytesSent;
  }

  get lastReceivedAt(): number {
    return this.transport.lastReceivedAt;
  }

  get lastSentAt(): number | null {
    return this.transport.lastSentAt;
  }

  get closeSent(): CloseFrame | null {
    return this.transport.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.transport.closeReceived;
  }

  get isCloseWaiting(): boolean {
    return this.transport.isCloseWaiting ?? false;
  }

  get answersClose(): boolean {
    return this.transport.answersClose ?? false;
  }

  get receivedFirst(): boolean {
    return this.transport.receivedFirst;
  }

  get session(): TransportSession | null {
    return this.transport.session ?? null;
  }

  start(): void {
    this.transport.start();
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.transport.sendText(text, settings);
  }

  sendShared(message: SharedMessage): boolean {
    return this.transport.sendShared?.(message) ?? false;
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.transport.sendBinary(payload, settings);
  }

  sendFragment(fragment: Fragment): Promise<void> {
    return this.transport.sendFragment(fragment);
  }

  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    return this.transport.sendAhead(message, onSent);
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.transport.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.transport.abandonPing(key);
  }

  queuePong(payload: Uint8Array): void {
    this.transport.queuePong(payload);
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.transport.queueClose(close, isUrgent);
  }

  hurryClose(): void {
    this.transport.hurryClose?.();
  }

  flush(): void {
    this.transport.flush();
  }

  pause(): boolean {
    return this.transport.pause();
  }

  resume(): void {
    this.transport.resume();
  }

  streamTo(handler: PieceHandler | null): void {
    this.transport.streamTo(handler);
  }

  end(): void {
    this.transport.end();
  }

  destroy(): void {
    this.transport.destroy();
  }

  abandon(): void {
    this.transport.abandon();
  }

  fail(closedError: () => Error): void {
    this.transport.fail(closedError);
  }

  // Events of the wrapped transport.

  onMessage(message: Message): void {
    this.handler.onMessage(message);
  }

  onPing(payload: Uint8Array): void {
    this.handler.onPing(payload);
  }

  onPong(payload: Uint8Array): void {
    this.handler.onPong(payload);
  }

  onClose(close: CloseFrame): void {
    this.handler.onClose(close);
  }

  onFailure(failure: TransportFailure): void {
    this.handler.onFailure(failure);
  }

  onSendingFailed(error: Error): void {
    this.handler.onSendingFailed(error);
  }

  onLargeMessage(size: number): void {
    this.handler.onLargeMessage?.(size);
  }

  onDecodingBegun(): void {
    this.handler.onDecodingBegun();
  }

  onDecodingEnded(): void {
    this.handler.onDecodingEnded();
  }

  onPingSent(key: string): void {
    this.handler.onPingSent(key);
  }

  onEof(): void {
    this.handler.onEof();
  }

  onError(cause: CloseCause, error: Error): void {
    this.handler.onError(cause, error);
  }

  onClosed(): void {
    this.handler.onClosed();
  }
}
