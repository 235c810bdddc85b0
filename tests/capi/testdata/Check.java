// The interface from Java 17 by its own foreign-function interface, without a line of C: Check LIBRARY WEIGHTS.
import static jdk.incubator.foreign.CLinker.*;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import jdk.incubator.foreign.*;

public class Check {
    static final CLinker linker = CLinker.getInstance();
    static final ResourceScope scope = ResourceScope.globalScope();
    static final MemorySegment status = MemorySegment.allocateNative(1024, 8, scope);

    /** A function that returns a code; its last argument is the status. */
    static MethodHandle function(String name, MemoryLayout... arguments) {
        Class<?>[] types = new Class<?>[arguments.length];
        for (int i = 0; i < types.length; i++)
            types[i] = arguments[i] == C_POINTER ? MemoryAddress.class : arguments[i] == C_LONG ? long.class : int.class;
        return linker.downcallHandle(SymbolLookup.loaderLookup().lookup("tfgen_" + name).get(),
            MethodType.methodType(int.class, types), FunctionDescriptor.of(C_INT, arguments));
    }

    static void expect(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    static void ok(Object code) {
        if ((int) code != 0) throw new AssertionError("code " + code + ": " + toJavaString(status.asSlice(4)));
    }

    public static void main(String[] args) throws Throwable {
        System.load(args[0]);
        MethodHandle version = linker.downcallHandle(SymbolLookup.loaderLookup().lookup("tfgen_abi_version").get(),
            MethodType.methodType(int.class), FunctionDescriptor.of(C_INT));
        int abi = (int) version.invoke();
        expect(abi >>> 16 == 1, "version " + abi);
        MethodHandle init = function("init", C_INT, C_POINTER);
        expect((int) init.invoke(2 << 16, status.address()) == 4, "a wrong version is refused");
        ok(init.invoke(abi, status.address()));

        MemorySegment handle = MemorySegment.allocateNative(8, 8, scope), size = MemorySegment.allocateNative(8, 8, scope);
        ok(function("model_open", C_POINTER, C_POINTER, C_POINTER, C_POINTER)
            .invoke(toCString(args[1], scope).address(), MemoryAddress.NULL, handle.address(), status.address()));
        MemoryAddress model = MemoryAddress.ofLong(MemoryAccess.getLong(handle));

        String prompt = "func (r *Reader) Read(";
        MemorySegment text = toCString(prompt, scope);
        MethodHandle tokenize = function("tokenize", C_POINTER, C_POINTER, C_LONG, C_INT, C_POINTER, C_LONG, C_POINTER, C_POINTER);
        ok(tokenize.invoke(model, text.address(), -1L, 1, MemoryAddress.NULL, 0L, size.address(), status.address()));
        long count = MemoryAccess.getLong(size);
        MemorySegment ids = MemorySegment.allocateNative(4 * count, 4, scope);
        ok(tokenize.invoke(model, text.address(), -1L, 1, ids.address(), count, size.address(), status.address()));

        ok(function("session_open", C_POINTER, C_POINTER, C_POINTER, C_POINTER).invoke(model, MemoryAddress.NULL, handle.address(), status.address()));
        MemoryAddress session = MemoryAddress.ofLong(MemoryAccess.getLong(handle));
        ok(function("prefill", C_POINTER, C_POINTER, C_LONG, C_POINTER, C_POINTER, C_POINTER)
            .invoke(session, ids.address(), count, MemoryAddress.NULL, MemoryAddress.NULL, status.address()));
        MethodHandle logits = function("logits", C_POINTER, C_POINTER, C_POINTER, C_POINTER);
        MethodHandle decode = function("decode", C_POINTER, C_INT, C_POINTER);
        int[] chosen = new int[12];
        MemorySegment out = MemorySegment.allocateNative(4 * chosen.length, 4, scope);
        for (int i = 0; i < chosen.length; i++) {
            ok(logits.invoke(session, handle.address(), size.address(), status.address()));
            long n = MemoryAccess.getLong(size);
            MemorySegment row = MemoryAddress.ofLong(MemoryAccess.getLong(handle)).asSegment(4 * n, scope);
            for (int j = 1; j < n; j++)
                if (MemoryAccess.getFloatAtIndex(row, j) > MemoryAccess.getFloatAtIndex(row, chosen[i])) chosen[i] = j;
            MemoryAccess.setIntAtIndex(out, i, chosen[i]);
            ok(decode.invoke(session, chosen[i], status.address()));
        }
        expect((int) decode.invoke(session, -1, status.address()) == 11, "a token that does not exist is refused");

        MemorySegment buffer = MemorySegment.allocateNative(1024, 1, scope);
        ok(function("detokenize", C_POINTER, C_POINTER, C_LONG, C_INT, C_POINTER, C_LONG, C_POINTER, C_POINTER)
            .invoke(model, out.address(), (long) chosen.length, 4, buffer.address(), 1024L, size.address(), status.address()));
        byte[] bytes = buffer.asSlice(0, MemoryAccess.getLong(size)).toByteArray();
        String answer = new String(bytes, StandardCharsets.UTF_8);
        expect(answer.startsWith("bytes []byte) (n int"), answer);

        MethodHandle close = function("session_close", C_POINTER, C_POINTER);
        ok(close.invoke(session, status.address()));
        expect((int) close.invoke(session, status.address()) == 3, "a closed session is refused");
        ok(function("model_close", C_POINTER, C_POINTER).invoke(model, status.address()));
        System.out.println("ok");
    }
}
