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
  protected readonly wire: MessageTransport;
  /** The handler of this transport's events. */
  protected readonly handler: MessageTransportHandler;

  protected constructor(below: MessageTransportFactory, handler: MessageTransportHandler) {
    this.handler = handler;
    this.wire = below(this);
  }

  get role(): Role {
    return this.wire.role;
  }

  get frameObserver(): FrameObserver | null {
    return this.handler.frameObserver;
  }

  refreshObserver(): void {
    this.wire.refreshObserver?.();
  }

  get hasBusyReader(): boolean {
    return this.handler.hasBusyReader;
  }

  get remoteAddress(): Address | null {
    return this.wire.remoteAddress;
  }

  get localAddress(): Address | null {
    return this.wire.localAddress;
  }

  get link(): LinkWords | null {
    return this.wire.link ?? null;
  }

  get canPing(): boolean {
    return this.wire.canPing;
  }

  get bufferedAmount(): number {
    return this.wire.bufferedAmount;
  }

  get isReceiving(): boolean {
    return this.wire.isReceiving ?? false;
  }

  get unsentBytes(): number {
    return this.wire.unsentBytes;
  }

  get bytesReceived(): number {
    return this.wire.bytesReceived;
  }

  get bytesSent(): number {
    return this.wire.bytesSent;
  }

  get lastReceivedAt(): number {
    return this.wire.lastReceivedAt;
  }

  get lastSentAt(): number | null {
    return this.wire.lastSentAt;
  }

  get closeSent(): CloseFrame | null {
    return this.wire.closeSent;
  }

  get closeReceived(): CloseFrame | null {
    return this.wire.closeReceived;
  }

  get isCloseWaiting(): boolean {
    return this.wire.isCloseWaiting ?? false;
  }

  get answersClose(): boolean {
    return this.wire.answersClose ?? false;
  }

  get receivedFirst(): boolean {
    return this.wire.receivedFirst;
  }

  get session(): TransportSession | null {
    return this.wire.session ?? null;
  }

  start(): void {
    this.wire.start();
  }

  sendText(text: string | TextBytes, settings: SendSettings): Promise<void> {
    return this.wire.sendText(text, settings);
  }

  sendShared(message: SharedMessage): boolean {
    return this.wire.sendShared?.(message) ?? false;
  }

  sendBinary(payload: Uint8Array, settings: SendSettings): Promise<void> {
    return this.wire.sendBinary(payload, settings);
  }

  sendFragment(fragment: Fragment): Promise<void> {
    return this.wire.sendFragment(fragment);
  }

  sendAhead(message: string | Uint8Array, onSent: () => void): () => void {
    return this.wire.sendAhead(message, onSent);
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.wire.queuePing(key, payload);
  }

  abandonPing(key: string): void {
    this.wire.abandonPing(key);
  }

  queuePong(payload: Uint8Array): void {
    this.wire.queuePong(payload);
  }

  queueClose(close: CloseFrame, isUrgent: boolean): void {
    this.wire.queueClose(close, isUrgent);
  }

  hurryClose(): void {
    this.wire.hurryClose?.();
  }

  flush(): void {
    this.wire.flush();
  }

  pause(): boolean {
    return this.wire.pause();
  }

  resume(): void {
    this.wire.resume();
  }

  streamTo(handler: PieceHandler | null): void {
    this.wire.streamTo(handler);
  }

  end(): void {
    this.wire.end();
  }

  destroy(): void {
    this.wire.destroy();
  }

  abandon(): void {
    this.wire.abandon();
  }

  fail(closedError: () => Error): void {
    this.wire.fail(closedError);
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
