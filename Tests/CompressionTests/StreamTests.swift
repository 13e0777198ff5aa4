import Compression
import Testing

/// What the sinks of these tests throw.
struct SinkFull: Error, Equatable {}

@Suite struct StreamTests {
  @Test(arguments: [0, 1, 131_071, 131_072, 131_073, 3_000_000])
  func `gives back what was compressed`(byteCount: Int) throws {
    for content in [Frames.text(byteCount: byteCount), Frames.noise(byteCount: byteCount)] {
      let frame = try Zstd.compress(content)
      #expect(try Zstd.decompress(frame, outputByteCountMax: byteCount) == content)
    }
  }

  @Test(arguments: [1, 7, 4_096, 300_000])
  func `takes input in pieces of any size`(pieceByteCount: Int) throws {
    let content = Frames.text(byteCount: 700_000)
    var compressor = try Compressor()
    var frame: [UInt8] = []
    for start in stride(from: 0, to: content.count, by: pieceByteCount) {
      let piece = Array(content[start..<min(start + pieceByteCount, content.count)])
      try compressor.write(piece) { frame += $0.array }
    }
    try compressor.finish { frame += $0.array }

    var decompressor = try Decompressor(outputByteCountMax: content.count)
    var output: [UInt8] = []
    for start in stride(from: 0, to: frame.count, by: pieceByteCount) {
      let piece = Array(frame[start..<min(start + pieceByteCount, frame.count)])
      try decompressor.write(piece) { output += $0.array }
    }
    try decompressor.finish()
    #expect(output == content)
  }

  @Test func `hands on pieces of at most one block`() throws {
    let content = Frames.noise(byteCount: 1_000_000)
    var compressor = try Compressor()
    var frame: [UInt8] = []
    var largest = 0
    try compressor.write(content) { piece in
      largest = max(largest, piece.count)
      frame += piece.array
    }
    try compressor.finish { frame += $0.array }
    #expect(largest == Zstd.pieceByteCountMax)

    largest = 0
    var decompressor = try Decompressor(outputByteCountMax: content.count)
    try decompressor.write(frame) { largest = max(largest, $0.count) }
    #expect(largest == Zstd.pieceByteCountMax)
  }

  @Test func `writes the same frame however the input is cut`() throws {
    let content = Frames.text(byteCount: 400_000)
    var compressor = try Compressor()
    var frame: [UInt8] = []
    for start in stride(from: 0, to: content.count, by: 997) {
      try compressor.write(Array(content[start..<min(start + 997, content.count)])) {
        frame += $0.array
      }
    }
    try compressor.finish { frame += $0.array }
    #expect(try frame == Zstd.compress(content))
  }

  @Test func `hardly grows what cannot be compressed`() throws {
    let content = Frames.noise(byteCount: 1_000_000)
    #expect(try Zstd.compress(content).count < content.count + 200)
  }

  @Test func `passes on why the compressors sink stopped`() throws {
    var compressor = try Compressor()
    let content = Frames.noise(byteCount: 1_000_000)
    #expect(throws: StreamError<SinkFull>.sink(SinkFull())) {
      try compressor.write(content) { (_) throws(SinkFull) in throw SinkFull() }
    }
  }

  @Test func `passes on why the decompressors sink stopped`() throws {
    let frame = try Zstd.compress(Frames.text(byteCount: 1_000))
    var decompressor = try Decompressor(outputByteCountMax: 1_000)
    #expect(throws: StreamError<SinkFull>.sink(SinkFull())) {
      try decompressor.write(frame) { (_) throws(SinkFull) in throw SinkFull() }
    }
  }
}
