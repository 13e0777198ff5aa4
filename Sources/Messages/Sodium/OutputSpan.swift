extension OutputSpan<UInt8> {
  /// Appends exactly `count` bytes, all of them written by a C function to the pointer that it
  /// gets. If `body` throws, nothing is appended.
  mutating func fill<R, E: Error>(
    _ count: Int, by body: (UnsafeMutablePointer<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    precondition(count <= freeCapacity, "the buffer has room for \(freeCapacity) of \(count) bytes")
    return try unsafe withUnsafeMutableBufferPointer { buffer, initializedCount throws(E) in
      guard let base = buffer.baseAddress else { preconditionFailure("a buffer without memory") }
      let result = try unsafe body(base + initializedCount)
      initializedCount += count
      return result
    }
  }
}
