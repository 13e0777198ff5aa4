package import MessageFormat
import Sodium

/// A sealed message whose chunks are made one after the other while they are written.
package struct SealedEnvelope: ~Copyable {
  package let offer: DepositOffer
  private var sealer: Sealer
  private let first: [UInt8]
  private let payload: PayloadBuffer?

  init(
    _ statement: Statement, payload: PayloadBuffer?, for recipients: [PublicIdentity], slot: Slot?
  ) {
    sealer = Sealer(for: recipients)
    first = sealer.seal(statement, isLast: payload == nil)
    self.payload = payload
    let (chunkCount, byteCount) = Self.sealedSize(ofPayload: payload?.byteCount ?? 0)
    offer = DepositOffer(
      id: sealer.id, mailboxes: sealer.mailboxes,
      size: SealedSize(
        chunkCount: 2 + chunkCount,
        byteCount: UInt64(sealer.header.count + first.count) + byteCount),
      slot: slot)
  }

  private static func sealedSize(ofPayload byteCount: UInt64) -> (UInt32, UInt64) {
    let full = UInt64(Limits.chunkPlaintextByteCountMax)
    let chunkCount = (byteCount + full - 1) / full
    return (
      UInt32(chunkCount), byteCount + chunkCount * UInt64(Limits.chunkOverheadByteCount)
    )
  }

  /// Every chunk, in order; `progress` is told how many bytes of the payload are sealed.
  package consuming func write(
    to append: ([UInt8]) throws -> Void, progress: (UInt64) -> Void = { _ in }
  ) throws {
    try append(sealer.header)
    try append(first)
    guard let payload else { return }
    var done: UInt64 = 0
    try payload.forEachPiece { piece, isLast in
      try append(sealer.seal(piece, isLast: isLast))
      done += UInt64(piece.count)
      progress(done)
    }
  }
}
