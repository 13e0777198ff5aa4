import MessageFormat
import Sealing
import Sodium

/// (e): the sealing of a payload's chunks, and libsodium's secretstream alone into one buffer.
struct SealingRow {
  let scale: Scale

  func measure() throws -> Measurement {
    let chunkCount = scale.isShort ? 2_000 : 8_192
    let recipient = Identity(generating: try IdentityName("bench")).public
    let content = [UInt8](repeating: 7, count: Limits.chunkPlaintextByteCountMax)
    let byteCount = Double(chunkCount * content.count)
    var (ours, bare): ([Double], [Double]) = ([], [])
    for _ in 0..<scale.runCount {
      bare.append(byteCount / seconds(bareTime(content, chunkCount)))
      ours.append(byteCount / seconds(ourTime(content, chunkCount, recipient)))
    }
    return Measurement(
      name: "(e) sealing, and the bare secretstream", ours: rate(median(ours)),
      theirs: rate(median(bare)), ratio: median(ours) / median(bare), goal: .atLeast(0.8))
  }

  private func ourTime(
    _ content: [UInt8], _ chunkCount: Int, _ recipient: PublicIdentity
  ) -> Duration {
    ContinuousClock().measure {
      var sealer = Sealer(for: [recipient])
      var byteCount = 0
      for index in 1...chunkCount {
        byteCount += sealer.seal(content, isLast: index == chunkCount).count
      }
      precondition(byteCount > chunkCount * content.count)
    }
  }

  private func bareTime(_ content: [UInt8], _ chunkCount: Int) -> Duration {
    let key = ContentKey(generating: ())
    var sealer = ChunkSealer(key: key)
    let data = [UInt8](repeating: 1, count: 32)
    let sealedByteCount = content.count + ChunkStream.overheadByteCount
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: sealedByteCount)
    defer { buffer.deallocate() }
    return ContinuousClock().measure {
      for index in 1...chunkCount {
        var output = OutputSpan(buffer: buffer, initializedCount: 0)
        sealer.seal(
          content.span, additionalData: data, as: index == chunkCount ? .final : .message,
          into: &output)
        _ = output.finalize(for: buffer)
      }
    }
  }
}
