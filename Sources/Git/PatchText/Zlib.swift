import CZlib

/// Whole buffers through zlib.
enum Zlib {
  static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var byteCount = compressBound(UInt(bytes.count))
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(byteCount)) { buffer, count in
      let status = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe compress(buffer.baseAddress, &byteCount, source.baseAddress, UInt(source.count))
      }
      precondition(status == Z_OK, "zlib has the memory and the room that it asked for")
      count = Int(byteCount)
    }
  }

  /// Exactly one zlib stream that inflates to exactly `byteCount` bytes. One byte more is
  /// allocated, so that a stream which goes on is seen; nothing ever grows.
  static func inflated(_ bytes: [UInt8], byteCount: Int) throws(ContentError) -> [UInt8] {
    var status = Z_OK
    var produced = UInt(byteCount) + 1
    var consumed = UInt(bytes.count)
    let content = unsafe [UInt8](unsafeUninitializedCapacity: byteCount + 1) { buffer, count in
      status = unsafe bytes.withUnsafeBufferPointer { source in
        unsafe uncompress2(buffer.baseAddress, &produced, source.baseAddress, &consumed)
      }
      count = status == Z_OK ? Int(produced) : 0
    }
    precondition(status != Z_MEM_ERROR, "zlib has memory for one stream")
    // The room was used up and the stream is not over: it inflates to more than it says.
    if status == Z_BUF_ERROR && produced > UInt(byteCount) { throw .flaw(.inflatedSize) }
    guard status == Z_OK, consumed == UInt(bytes.count) else { throw .flaw(.notDeflated) }
    guard content.count == byteCount else { throw .flaw(.inflatedSize) }
    return content
  }
}
