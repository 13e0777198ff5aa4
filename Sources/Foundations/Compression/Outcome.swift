internal import CZstd

extension Zstd {
  // zstd_errors.h: these values never change; a function's result is the negated value, as a
  // size_t.
  private static let windowTooLarge = 16
  private static let memoryAllocation = 64

  /// What a function of zstd returned: how much is left to do, or an error.
  static func check(_ outcome: Int) throws(CompressionError) -> Int {
    guard ZSTD_isError(outcome) != 0 else { return outcome }
    switch -outcome {
    case windowTooLarge: throw .windowTooLarge(byteCountMax: windowByteCountMax)
    case memoryAllocation: throw .outOfMemory
    default: throw .corrupt(reason: unsafe String(cString: ZSTD_getErrorName(outcome)))
    }
  }
}
