internal import CZstd

/// Reads exactly one zstd frame from an untrusted sender; belongs to one thread.
///
/// Memory is bounded by `Zstd.windowByteCountMax`, what comes out by the caller's limit.
/// Skippable frames, dictionaries and the formats before zstd 0.8 are refused.
@safe package struct Decompressor: ~Copyable {
  private enum State { case inFrame, behindFrame, failed }

  private let context: OpaquePointer
  private let outputByteCountMax: Int
  private var piece = [UInt8](repeating: 0, count: Zstd.pieceByteCountMax)
  private var outputByteCount = 0
  private var magicByteCount = 0
  private var state = State.inFrame

  /// 0xFD2FB528, little-endian (RFC 8878, 3.1.1).
  private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

  package init(outputByteCountMax: Int) throws(CompressionError) {
    guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory }
    let outcome = unsafe ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, Zstd.windowByteCountLogarithmMax)
    precondition(ZSTD_isError(outcome) == 0, "every zstd can be held to such a window")
    unsafe self.context = context
    self.outputByteCountMax = outputByteCountMax
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  /// Takes all of `input`; `sink` gets all that it holds. After an error the stream is of no more
  /// use.
  package mutating func write<SinkError: Error>(
    _ input: Span<UInt8>, into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    precondition(state != .failed, "a stream is not used after it failed")
    var next = State.failed
    defer { state = next }
    next = try read(input, into: sink)
  }

  /// The same.
  package mutating func write<SinkError: Error>(
    _ input: [UInt8], into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) {
    try write(input.span, into: sink)
  }

  /// Throws unless the whole frame has been read.
  package func finish() throws(CompressionError) {
    guard state == .behindFrame else { throw .incomplete }
  }

  private mutating func read<SinkError: Error>(
    _ input: Span<UInt8>, into sink: (Span<UInt8>) throws(SinkError) -> Void
  ) throws(StreamError<SinkError>) -> State {
    if input.isEmpty { return state }
    guard state == .inFrame else { throw .stream(.trailingBytes) }
    do { try checkMagic(input) } catch { throw .stream(error) }
    var consumed = 0
    var isFull = false
    while consumed < input.count || isFull {
      let step: Step
      do { step = try self.step(input.extracting(consumed..<input.count)) } catch {
        throw .stream(error)
      }
      consumed += step.consumed
      isFull = step.produced == piece.count
      if step.produced > 0 {
        do { try sink(piece.span.extracting(0..<step.produced)) } catch { throw .sink(error) }
      }
      guard step.isLast else { continue }
      if consumed < input.count { throw .stream(.trailingBytes) }
      return .behindFrame
    }
    return .inFrame
  }

  private struct Step {
    let consumed: Int
    let produced: Int
    let isLast: Bool
  }

  private mutating func step(_ input: Span<UInt8>) throws(CompressionError) -> Step {
    let context = unsafe self.context
    let (outcome, consumed, produced) = unsafe input.withUnsafeBytes { source in
      unsafe piece.withUnsafeMutableBytes { target in
        var source = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var target = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        let outcome = unsafe ZSTD_decompressStream(context, &target, &source)
        return unsafe (outcome, source.pos, target.pos)
      }
    }
    let remaining = try Zstd.check(outcome)
    outputByteCount += produced
    guard outputByteCount <= outputByteCountMax else {
      throw .outputTooLarge(byteCountMax: outputByteCountMax)
    }
    return Step(consumed: consumed, produced: produced, isLast: remaining == 0)
  }

  /// zstd itself would also take skippable frames and, where built so, the formats of its first
  /// years.
  private mutating func checkMagic(_ input: Span<UInt8>) throws(CompressionError) {
    var offset = 0
    while magicByteCount < Self.magic.count && offset < input.count {
      guard input[offset] == Self.magic[magicByteCount] else { throw .notZstandard }
      magicByteCount += 1
      offset += 1
    }
  }
}
