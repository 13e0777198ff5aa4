import CSodium

/// Seals the chunks of one message in their order.
package struct ChunkSealer: ~Copyable, Sendable {
  /// 24 bytes for the opener, different for every sealer.
  package private(set) var header: [UInt8]
  private let state = ChunkState()
  private var isFinished = false

  package init(key: borrowing ContentKey) {
    header = [UInt8](repeating: 0, count: ChunkStream.headerByteCount)
    unsafe key.secret.withPointer { key in
      let result = unsafe crypto_secretstream_xchacha20poly1305_init_push(
        state.pointer, &header, key)
      precondition(result == 0)
    }
  }

  /// Appends the sealed chunk, `ChunkStream.overheadByteCount` longer than `content`, for which
  /// there must be room. Nothing can be sealed after the final chunk.
  package mutating func seal(
    _ content: Span<UInt8>, additionalData: [UInt8], as tag: ChunkTag,
    into output: inout OutputSpan<UInt8>
  ) {
    precondition(!isFinished, "the final chunk is sealed already")
    isFinished = tag == .final
    unsafe content.withUnsafeBufferPointer { content in
      unsafe additionalData.withUnsafeBufferPointer { data in
        unsafe output.fill(content.count + ChunkStream.overheadByteCount) { sealed in
          let result = unsafe crypto_secretstream_xchacha20poly1305_push(
            state.pointer, sealed, nil, content.baseAddress, UInt64(content.count),
            data.baseAddress, UInt64(data.count), tag.byte)
          precondition(result == 0)
        }
      }
    }
  }

  /// The same in an array of its own.
  package mutating func seal(
    _ content: Span<UInt8>, additionalData: [UInt8], as tag: ChunkTag
  ) -> [UInt8] {
    [UInt8](capacity: content.count + ChunkStream.overheadByteCount) { output in
      seal(content, additionalData: additionalData, as: tag, into: &output)
    }
  }
}
