/// Why a stream could not be compressed or decompressed.
package enum CompressionError: Error, Equatable, CustomStringConvertible {
  /// The bytes do not begin with a zstd frame of the current format.
  case notZstandard
  /// zstd's own words for what is wrong with the frame.
  case corrupt(reason: String)
  /// The frame asks its reader to keep more than we grant.
  case windowTooLarge(byteCountMax: Int)
  /// The frame holds more than its reader allows.
  case outputTooLarge(byteCountMax: Int)
  /// The input ends inside the frame.
  case incomplete
  /// There are bytes behind the frame.
  case trailingBytes
  /// The machine's fault; every other case is the fault of the frame's writer.
  case outOfMemory

  package var description: String {
    switch self {
    case .notZstandard: "compressed data: is not a zstd frame"
    case .corrupt(let reason): "compressed data: is corrupt: \(reason)"
    case .windowTooLarge(let byteCountMax):
      "compressed data: needs a window larger than \(byteCountMax) bytes"
    case .outputTooLarge(let byteCountMax):
      "compressed data: holds more than \(byteCountMax) bytes"
    case .incomplete: "compressed data: ends inside the frame"
    case .trailingBytes: "compressed data: goes on behind the frame"
    case .outOfMemory: "compression: out of memory"
    }
  }
}

/// A stream stops either by itself or because the sink of its output did.
package enum StreamError<SinkError: Error>: Error {
  case stream(CompressionError)
  case sink(SinkError)
}

extension StreamError where SinkError == Never {
  /// Where the sink takes everything, only the stream can stop.
  package var streamError: CompressionError {
    switch self {
    case .stream(let error): error
    }
  }
}

extension StreamError: Equatable where SinkError: Equatable {}

extension StreamError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .stream(let error): "\(error)"
    case .sink(let error): "\(error)"
    }
  }
}
