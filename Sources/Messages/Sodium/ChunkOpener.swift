import CSodium

/// Opens the chunks of one message in their order.
package struct ChunkOpener: ~Copyable, Sendable {
  private let state = ChunkState()
  /// Whether the final chunk was opened: without it, the message is not whole.
  package private(set) var isFinished = false

  /// `header` has 24 bytes; a wrong one shows with the first chunk.
  package init(key: borrowing ContentKey, header: [UInt8]) {
    precondition(header.count == ChunkStream.headerByteCount)
    unsafe key.secret.withPointer { key in
      let result = unsafe crypto_secretstream_xchacha20poly1305_init_pull(
        state.pointer, header, key)
      precondition(result == 0)
    }
  }

  /// Appends what is in the chunk, for which there must be room (`ChunkStream.overheadByteCount`
  /// less than the chunk has). Throws `chunkNotAuthentic` or `chunkAfterFinal`; then nothing is
  /// appended.
  package mutating func open(
    _ chunk: Span<UInt8>, additionalData: [UInt8], into output: inout OutputSpan<UInt8>
  ) throws(SodiumError) -> ChunkTag {
    guard !isFinished else { throw .chunkAfterFinal }
    let contentByteCount = chunk.count - ChunkStream.overheadByteCount
    guard contentByteCount >= 0 else { throw .chunkNotAuthentic }
    let tag = try unsafe output.fill(contentByteCount) { content throws(SodiumError) in
      try unsafe pull(chunk, additionalData, into: content)
    }
    isFinished = tag == .final
    return tag
  }

  /// The same into an array of its own.
  package mutating func open(
    _ chunk: Span<UInt8>, additionalData: [UInt8]
  ) throws(SodiumError) -> (content: [UInt8], tag: ChunkTag) {
    var tag = ChunkTag.message
    let capacity = max(0, chunk.count - ChunkStream.overheadByteCount)
    let content = try [UInt8](capacity: capacity) { output throws(SodiumError) in
      tag = try open(chunk, additionalData: additionalData, into: &output)
    }
    return (content, tag)
  }

  private func pull(
    _ chunk: Span<UInt8>, _ additionalData: [UInt8],
    into content: UnsafeMutablePointer<UInt8>
  ) throws(SodiumError) -> ChunkTag {
    var tag: UInt8 = 0
    let result = unsafe chunk.withUnsafeBufferPointer { chunk in
      unsafe additionalData.withUnsafeBufferPointer { data in
        unsafe crypto_secretstream_xchacha20poly1305_pull(
          state.pointer, content, nil, &tag, chunk.baseAddress, UInt64(chunk.count),
          data.baseAddress, UInt64(data.count))
      }
    }
    guard result == 0, let tag = ChunkTag(byte: tag) else { throw .chunkNotAuthentic }
    return tag
  }
}
